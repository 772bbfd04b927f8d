#!/usr/bin/env bash
# Formats the native sources: format-native.sh [--check] [folder ...], by default those of scripts/native-formatted.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
if [ "${1-}" = --check ]; then
  mode=(--dry-run -Werror)
  shift
fi
mapfile -t folders < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else cat scripts/native-formatted.txt; fi)
tools=$(bash scripts/native-tools.sh)
find "${folders[@]}" -type f \( -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) -print0 | sort -z | xargs -0 "$tools/clang-format" "${mode[@]}"
