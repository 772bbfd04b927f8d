#!/usr/bin/env bash
# Builds and runs the native tests: native-tests.sh <build folder> [cmake options], such as -DFER_SANITIZE=address,undefined or, for
# another system, -DCMAKE_TOOLCHAIN_FILE=cmake/zig.cmake -DFER_TARGET=linux-arm64-musl. FER_TESTS: a pattern of the tests to run.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

# GoogleTest from the system, or unpacked from Debian's package without root: its library, or for another system its sources.
prefix=build/googletest
fetch() { # <package>
  echo "fetching GoogleTest ($1)"
  mkdir -p "$prefix"
  (cd "$prefix" && apt-get download "$1" && dpkg -x "$1"_*.deb .) || { echo "GoogleTest was not found and could not be fetched; install it (Debian: $1)" >&2; exit 1; }
}
if [[ $* == *FER_TARGET=* ]]; then
  sources=/usr/src/googletest/googletest
  [ -d "$sources" ] || sources=$PWD/$prefix$sources
  [ -d "$sources" ] || fetch googletest
  set -- "$@" -DFER_GOOGLETEST="$sources"
elif ! echo '#include <gtest/gtest.h>' | ${CXX:-c++} -E -x c++ - >/dev/null 2>&1 && [ ! -d "$prefix/usr/include/gtest" ]; then
  fetch libgtest-dev
fi

generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B "$folder" "${generator[@]}" -DFER_ADDON=OFF -DFER_TESTS=ON -DCMAKE_PREFIX_PATH="$PWD/$prefix/usr" "$@" >"$folder.log" 2>&1 ||
  { cat "$folder.log"; exit 1; }
cmake --build "$folder" --parallel "$(nproc)" >"$folder.log" 2>&1 || { tail -50 "$folder.log"; exit 1; }
ctest --test-dir "$folder" --output-on-failure -R "${FER_TESTS:-.}" --parallel "$(nproc)" >"$folder.log" 2>&1 || { grep -v ' Passed ' "$folder.log"; exit 1; }
tail -4 "$folder.log"
