#!/usr/bin/env bash
# What actionlint says on the workflows (with shellcheck on their shell lines), hadolint on the Dockerfile. Without network once
# build/tools has them.
set -euo pipefail
cd "$(dirname "$0")/../.."
actionlint=v1.7.12
tools=$(bash scripts/native-tools.sh)
if [ ! -x "$tools/actionlint-$actionlint" ]; then
  command -v go >/dev/null || { echo "lint-release: actionlint is built by Go, which was not found; install Go 1.21 or later" >&2; exit 1; }
  GOBIN=$tools GOTOOLCHAIN=auto go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
  mv "$tools/actionlint" "$tools/actionlint-$actionlint"
fi
"$tools/actionlint-$actionlint" -shellcheck "$tools/shellcheck"
"$tools/hadolint" Dockerfile
echo "lint-release: $(ls .github/workflows/*.yml | wc -l) workflows and the Dockerfile clean"
