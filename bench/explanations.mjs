#!/usr/bin/env node
// How much do explanations matter to the network? The share of pixels that a map marks most is covered with the image's
// mean grey; the mean fall of the predicted class's probability says how well the map found what the network looks at.
//   node bench/explanations.mjs <fer2013.csv> [--images 1000] [--out bench/results/explanations.json]
// Needs: npm run build. Compare maps of like grain: fine patterns upset the network more than blocks do.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../scripts/flags.mjs';
import { loadDataSet, MiniXception } from '../dist/index.js';

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: { images: { type: 'string', default: '1000' }, out: { type: 'string' } },
});
const shares = [0.1, 0.2, 0.4];
const data = await loadDataSet(positionals[0]);
const model = await MiniXception.load(fileURLToPath(new URL('../models/mini-xception-narrow/model.safetensors', import.meta.url)));
const side = data.size;
const rows = data.splits.get('PublicTest').subarray(0, Number(values.images));
const pixelsOf = (row) => data.images.subarray(row * side * side, (row + 1) * side * side);

let state = 1;
const random = () => (state = Math.imul(state, 1664525) + 1013904223) >>> 8;
/** Blocks of `grain` pixels in a random order. */
const blocks = (grain) => {
  const across = Math.ceil(side / grain);
  const order = Array.from({ length: across * across }, random);
  return Float32Array.from(
    { length: side * side },
    (_, i) => order[Math.floor(i / side / grain) * across + Math.floor((i % side) / grain)],
  );
};

const camLayers = ['stem.2', 'modules.0', 'modules.1', 'modules.2', 'modules.3'];
const maps = [
  ...camLayers.map((layer) => ({ name: `grad-cam ${layer}`, options: { layer } })),
  { name: 'guided-backprop', options: { method: 'guided-backprop' } },
  { name: 'guided-grad-cam modules.1', options: { method: 'guided-grad-cam', layer: 'modules.1' } },
  ...[1, 4, 8, 16].map((grain) => ({ name: `random blocks of ${grain}`, grain })),
];

const results = [];
for (const { name, options, grain } of maps) {
  const covered = [];
  for (const row of rows) {
    const pixels = pixelsOf(row);
    const { map, index, prediction } = await model.explain({ pixels, width: side, height: side }, options);
    const weight = grain ? blocks(grain) : map.map(Math.abs);
    const order = [...weight.keys()].sort((a, b) => weight[b] - weight[a]);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    for (const share of shares) {
      const image = Uint8Array.from(pixels);
      for (const i of order.slice(0, Math.round(share * pixels.length))) image[i] = mean;
      covered.push({ pixels: image, width: side, height: side, index, before: prediction.probabilities[model.classes[index]] });
    }
  }
  const after = await model.predict(covered);
  const fall = shares.map((_, s) => {
    const falls = covered.flatMap((c, i) => (i % shares.length === s ? [c.before - after[i].probabilities[model.classes[c.index]]] : []));
    return falls.reduce((a, b) => a + b, 0) / falls.length;
  });
  results.push({ map: name, fall });
  console.log(name.padEnd(26), ...fall.map((value) => (100 * value).toFixed(1).padStart(6)));
}
const result = {
  model: 'mini-xception-narrow',
  data: `first ${rows.length} of PublicTest, ${path.basename(positionals[0])}`,
  shares,
  results,
};
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
