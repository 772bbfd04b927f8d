#!/usr/bin/env bash
# Packs the package, and tests it as its users have it: installed into empty projects, without a compiler on the PATH (test/package/),
# then as bundlers and other module systems use it (test/consumers/). Arguments go to vitest, such as the name of a test file.
set -euo pipefail
cd "$(dirname "$0")/.."
node scripts/build.mjs
node scripts/prebuild.mjs
node scripts/check-pack.mjs
npx vitest run --config test/package/vitest.config.ts "$@"
node test/consumers/run.mjs --quick
