#!/usr/bin/env bash
# Prints the folder of the linters in the pinned versions, fetched into build/tools the first time: two versions of clang-format format
# differently.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s scripts/requirements-tools.txt build/tools/requirements.txt; then
  python3 -m venv build/tools >&2
  build/tools/bin/pip install --quiet --disable-pip-version-check -r scripts/requirements-tools.txt >&2
  cp scripts/requirements-tools.txt build/tools/requirements.txt
fi
echo "$PWD/build/tools/bin"
