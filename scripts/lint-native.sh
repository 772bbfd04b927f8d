#!/usr/bin/env bash
# clang-format's and clang-tidy's say on the native sources: lint-native.sh [source ...], by default all but tests.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/format-native.sh --check
tools=$(bash scripts/native-tools.sh)
headers=$(bash scripts/node-headers.sh)
cmake -S . -B build/tidy -DFER_ADDON=ON "-DCMAKE_JS_INC=$headers" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >build/tidy.log
sources=("$@")
[ $# -gt 0 ] || mapfile -t sources < <(find native \( -name '*.cc' -o -name '*.cu' \) -not -path 'native/test/*' | sort)

# The CUDA backend as the tests compile it: as C++, against a run time that works on the CPU.
tidy() {
  local how=(-p build/tidy) after=()
  if [[ $2 == native/cuda/* ]]; then
    how=() after=(-- -xc++ -std=c++20 -march=x86-64-v3 -Inative -isystem native/test/cuda_on_host -DFER_CUDA_ON_HOST '-DFER_VERSION=""' -Wno-unknown-pragmas)
  fi
  "$1/clang-tidy" "${how[@]}" --quiet --warnings-as-errors='*' "$2" "${after[@]}"
}
export -f tidy
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy "$@"' tidy "$tools" 2>build/tidy.log ||
  { grep -v 'warnings generated' build/tidy.log >&2; exit 1; }
echo "lint-native: ${#sources[@]} sources clean"
