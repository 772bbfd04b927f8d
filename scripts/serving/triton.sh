#!/usr/bin/env bash
# PyPI's tritonclient against `fer-cudnn serve`. Its packages go into build/serving-python. Needs: npm run build.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=build/serving-python
[ -x "$python/bin/python" ] || python3 -m venv "$python"
"$python/bin/pip" install --quiet --requirement scripts/serving/requirements.txt
folder=$(mktemp -d)
node --input-type=module - "$folder/face.png" <<'END'
import sharp from 'sharp';
import { syntheticFaces } from './dist/data/synthetic.js';
await sharp(syntheticFaces().images.subarray(0, 2304), { raw: { width: 48, height: 48, channels: 1 } }).toFile(process.argv[2]);
END
node dist/cli/main.js serve --port 0 --log-level error >"$folder/out" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -r "$folder"' EXIT
for _ in $(seq 100); do grep -q '^serving' "$folder/out" && break; sleep 0.1; done
"$python/bin/python" scripts/serving/triton.py "$(sed -nE 's#^serving on http://([^ ]+).*#\1#p' "$folder/out")" "$folder/face.png"
