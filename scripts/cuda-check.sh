#!/usr/bin/env bash
# What can be proven of the CUDA plug-in without a GPU: it compiles for every architecture with warnings as errors, holds them,
# exports one function, needs nothing but glibc (an old one will do), and its own CUDA run time fails in a typed error, not in
# a crash. (Its kernels run on the host in the native tests, its error paths in test/cuda.)
set -euo pipefail
cd "$(dirname "$0")/.."
plugin=build/Release/fer-cudnn-cuda.so
addon=build/Release/fer-cudnn.node
oldest_glibc=2.28

same() { # <what> <expected> <got>
  if [ "$2" != "$3" ]; then printf 'FAILED  %s: expected %s, got %s\n' "$1" "$2" "$3" >&2; exit 1; fi
  printf 'ok      %s: %s\n' "$1" "$3"
}

node scripts/build.mjs --cuda
[ -f "$addon" ] || node scripts/build.mjs --native
[ -f dist/cli/main.js ] || node scripts/build.mjs
toolkit=$(bash scripts/cuda-toolkit.sh 2>/dev/null | sed -n 1p)

exports() { readelf --dyn-syms --wide "$1" | awk '$5 == "GLOBAL" && $7 ~ /^[0-9]+$/ { sub(/@.*/, "", $8); print $8 }' | sort | xargs; }
needed() { readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort | xargs; }
newest_glibc() { readelf --version-info "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1 | cut -d_ -f2; }

same 'the plug-in exports' fer_cuda_plugin "$(exports $plugin)"
same 'the addon exports' 'napi_register_module_v1 node_api_module_get_api_version_v1' "$(exports $addon)"
same 'the plug-in needs' 'ld-linux-x86-64.so.2 libc.so.6 libdl.so.2 libm.so.6 libpthread.so.0 librt.so.1' "$(needed $plugin)"
same 'its run path' '[$ORIGIN]' "$(readelf --dynamic $plugin | sed -n 's/.*(RUNPATH).*: //p')"
for binary in $plugin $addon; do
  glibc=$(newest_glibc $binary)
  same "$(basename $binary) asks for glibc $glibc, at most" $oldest_glibc "$(printf '%s\n' "$glibc" $oldest_glibc | sort -V | tail -1)"
done
same 'machine code and PTX for' 'sm_75.cubin sm_80.cubin sm_86.cubin sm_89.cubin sm_90.cubin sm_90.ptx' \
  "$("$toolkit/bin/cuobjdump" --list-elf --list-ptx $plugin | grep -oE 'sm_[0-9]+\.(cubin|ptx)' | sort -u | xargs)"

node scripts/cuda-kernels.mjs

# The real plug-in and its CUDA run time, on a driver that promises a GPU and then lacks nearly everything.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -shared -fPIC -DVERSION=12040 -DGPUS=1 -o "$work/libcuda.so.1" test/cuda/fakes/libcuda.c
echo '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"/>' >"$work/face.svg"
status=0
error=$(LD_LIBRARY_PATH=$work node dist/cli/main.js predict "$work/face.svg" --device cuda 2>&1) || status=$?
same 'exit status on a broken driver' 1 $status
same 'code of its error' ERR_FER_DEVICE_UNAVAILABLE "$(grep -oE 'ERR_FER_\w+' <<<"$error" | tail -1)"
echo "        $error"
printf 'CUDA plug-in: %s bytes, %s compressed\n' "$(stat -c %s $plugin)" "$(gzip -c $plugin | wc -c)"
