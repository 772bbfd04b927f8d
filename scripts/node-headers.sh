#!/usr/bin/env bash
# Prints where Node-API's headers are, for CMake's CMAKE_JS_INC; cmake-js fetches them where they are not there yet.
set -euo pipefail
cd "$(dirname "$0")/.."
npx cmake-js print-cmakejs-include 2>/dev/null | tail -1 || { echo "cmake-js did not find Node's headers; run: npm ci && npm run build" >&2; exit 1; }
