#!/usr/bin/env bash
# Prints a clang++ that comes with libFuzzer and the sanitizers: the system's, or Debian's packages unpacked, not installed, into
# build/clang (0.6 GB; needs apt-get, no root).
set -euo pipefail
cd "$(dirname "$0")/.."
version=19

works() { # <clang++>
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$1" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null
}

for clang in "clang++-$version" clang++; do
  if command -v "$clang" >/dev/null && works "$clang"; then
    command -v "$clang"
    exit
  fi
done

folder=$PWD/build/clang
if [ ! -x "$folder/clang++" ]; then
  echo "fetching clang $version" >&2
  mkdir -p "$folder/debs"
  (
    cd "$folder/debs"
    apt-get -qq download clang-$version libclang-cpp$version libclang-common-$version-dev libclang-rt-$version-dev libllvm$version llvm-$version libz3-4 libxml2 libedit2 libbsd0 libmd0 libicu72 libtinfo6
    for package in *.deb; do dpkg -x "$package" ..; done
  ) >&2 || { echo "clang $version with libFuzzer was not found and could not be fetched; install clang-$version and libclang-rt-$version-dev" >&2; exit 1; }
  rm -rf "$folder/debs"
  libraries=$folder/usr/lib/x86_64-linux-gnu:$folder/usr/lib/llvm-$version/lib:$folder/lib/x86_64-linux-gnu
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$folder/usr/lib/llvm-$version/bin/clang++" >"$folder/clang++"
  chmod +x "$folder/clang++"
fi
works "$folder/clang++" || { echo "the clang in build/clang does not work here; install clang-$version and libclang-rt-$version-dev" >&2; exit 1; }
echo "$folder/clang++"
