#!/usr/bin/env bash
# Builds and runs the native tests: native-tests.sh <build folder> [cmake options], such as -DFER_SANITIZE=address,undefined.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

# GoogleTest from the system, or unpacked from Debian's package without root.
prefix=build/googletest
if ! echo '#include <gtest/gtest.h>' | ${CXX:-c++} -E -x c++ - >/dev/null 2>&1 && [ ! -d "$prefix/usr/include/gtest" ]; then
  echo "fetching GoogleTest (libgtest-dev)"
  mkdir -p "$prefix"
  (cd "$prefix" && apt-get download libgtest-dev && dpkg -x libgtest-dev_*.deb .) ||
    { echo "GoogleTest was not found and could not be fetched; install it (Debian: libgtest-dev)" >&2; exit 1; }
fi

generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B "$folder" "${generator[@]}" -DFER_ADDON=OFF -DFER_TESTS=ON -DCMAKE_PREFIX_PATH="$PWD/$prefix/usr" "$@" >"$folder.log" 2>&1 ||
  { cat "$folder.log"; exit 1; }
cmake --build "$folder" --parallel "$(nproc)" >"$folder.log" 2>&1 || { tail -50 "$folder.log"; exit 1; }
ctest --test-dir "$folder" --output-on-failure --parallel "$(nproc)" >"$folder.log" 2>&1 || { grep -v ' Passed ' "$folder.log"; exit 1; }
tail -4 "$folder.log"
