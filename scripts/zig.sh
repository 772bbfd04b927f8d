#!/usr/bin/env bash
# Prints the path of zig in the pinned version, a clang with headers and C and C++ libraries for every target, fetched into
# build/zig the first time (100 MB). What it compiles of those libraries stays in build/zig/cache.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s scripts/requirements-zig.txt build/zig/requirements.txt; then
  python3 -m venv build/zig >&2
  build/zig/bin/pip install --quiet --disable-pip-version-check --require-hashes -r scripts/requirements-zig.txt >&2
  printf '#!/bin/sh\nZIG_GLOBAL_CACHE_DIR=%q exec %q "$@"\n' "$PWD/build/zig/cache" "$(echo "$PWD"/build/zig/lib/python3*/site-packages/ziglang/zig)" >build/zig/bin/zig
  chmod +x build/zig/bin/zig
  cp scripts/requirements-zig.txt build/zig/requirements.txt
fi
echo "$PWD/build/zig/bin/zig"
