#!/usr/bin/env bash
# All tests: build, lint, type check, native tests, then the TypeScript tests. Ends with one line of totals.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

step build
node scripts/build.mjs
step lint, type check and the rules that scripts watch
npm run --silent lint
npm run --silent typecheck
npm run --silent lint:native
node scripts/check-contract.mjs
node scripts/check-dependencies.mjs
node scripts/docs-cli.mjs --check
node scripts/docs-lists.mjs --check
node scripts/docs-api.mjs --check
node scripts/cards.mjs --check
node scripts/gpu/readme.mjs --check
step native tests
bash scripts/native-tests.sh build/native-tests
step TypeScript tests
status=0
npx vitest run --reporter=default --reporter=json --outputFile.json=build/vitest.json || status=$?
node -e '
  const r = JSON.parse(require("fs").readFileSync("build/vitest.json", "utf8"));
  console.log(`TypeScript tests: ${r.numPassedTests} passed, ${r.numFailedTests} failed`);'
exit $status
