#!/usr/bin/env bash
# clang-format's and clang-tidy's say on the native sources: lint-native.sh [source ...], by default all that clang can compile here.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/format-native.sh --check
tools=$(bash scripts/native-tools.sh)
cmake -S . -B build/tidy -DFER_ADDON=OFF -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >build/tidy.log
sources=("$@")
# All but what needs Node's headers, a CUDA compiler or GoogleTest.
[ $# -gt 0 ] || mapfile -t sources < <(find native -name '*.cc' -not -path 'native/addon/*' -not -path 'native/cuda/*' -not -path 'native/test/*' | sort)
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" "$tools/clang-tidy" -p build/tidy --quiet --warnings-as-errors='*' 2>build/tidy.log ||
  { grep -v 'warnings generated' build/tidy.log >&2; exit 1; }
echo "lint-native: ${#sources[@]} sources clean"
