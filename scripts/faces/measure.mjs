#!/usr/bin/env node
// How FER2013 cuts its faces, and what cutting them so is worth: where the finder sees the eyes in its pictures, and the accuracy of the
// packaged models on faces that were turned, put into larger pictures, found again and cut out in several ways. lib/faces/align.ts has
// the numbers. Needs: npm run build, @vladmandic/human, and the data set.
//   node scripts/faces/measure.mjs fer2013.csv.gz [images]
import { writeFileSync } from 'node:fs';
import { loadDataSet, MiniXception } from '../../dist/index.js';
import { cutFace, FER2013_LAYOUT } from '../../dist/faces/align.js';
import { blazeFaceFiles } from '../../dist/faces/files.js';
import { readBlazeFace } from '../../dist/faces/blazeface.js';

const [file, count = '400'] = process.argv.slice(2);
const data = await loadDataSet(file);
const rows = data.splits.get('PublicTest').slice(0, Number(count));
const SIZE = data.size;
const { graph, weights } = await blazeFaceFiles();
const finder = readBlazeFace(graph, weights);
const models = await Promise.all(['narrow', 'robust'].map((name) => MiniXception.pretrained(name)));
let state = 1;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** A picture of `side` with the face, `scale` times as large and turned by `degrees`, in its middle; noise around it. */
function placed(face, scale, degrees, side) {
  const pixels = new Uint8Array(side * side);
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const middle = side / 2;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [dx, dy] = [(x + 0.5 - middle) / scale, (y + 0.5 - middle) / scale];
      const [u, v] = [cos * dx + sin * dy + SIZE / 2 - 0.5, -sin * dx + cos * dy + SIZE / 2 - 0.5];
      if (u < -0.5 || v < -0.5 || u > SIZE - 0.5 || v > SIZE - 0.5) {
        pixels[y * side + x] = 100 + (((x >> 4) ^ (y >> 4)) % 3);
        continue;
      }
      const [u0, v0] = [Math.max(0, Math.floor(u)), Math.max(0, Math.floor(v))];
      const [u1, v1] = [Math.min(u0 + 1, SIZE - 1), Math.min(v0 + 1, SIZE - 1)];
      const [h, w] = [Math.max(0, u - u0), Math.max(0, v - v0)];
      const value = (r, c) => face[r * SIZE + c];
      pixels[y * side + x] = Math.round(
        (value(v0, u0) * (1 - h) + value(v0, u1) * h) * (1 - w) + (value(v1, u0) * (1 - h) + value(v1, u1) * h) * w,
      );
    }
  return { pixels, width: side, height: side };
}
const coloured = ({ pixels, width, height }) => {
  const rgb = new Uint8Array(pixels.length * 3);
  pixels.forEach((value, i) => rgb.fill(value, 3 * i, 3 * i + 3));
  return { pixels: rgb, width, height };
};
const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const facesOf = (row) => data.images.subarray(row * SIZE * SIZE, (row + 1) * SIZE * SIZE);

// Where the eyes are.
const [SCALE, SIDE] = [4, 384];
const found = [];
for (const row of rows) {
  const [face] = finder.find(coloured(placed(facesOf(row), SCALE, 0, SIDE)), 0.5);
  if (face) found.push(face.eyes.map(({ x, y }) => ({ x: (x - SIDE / 2) / SCALE / SIZE + 0.5, y: (y - SIDE / 2) / SCALE / SIZE + 0.5 })));
}
const apart = found.map(([a, b]) => Math.hypot(a.x - b.x, a.y - b.y));
const down = found.map(([a, b]) => (a.y + b.y) / 2);
const across = found.map(([a, b]) => (a.x + b.x) / 2);
const tilt = found.map(([a, b]) => (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI);
const spread = (values) => [0.1, 0.5, 0.9].map((share) => Number(quantile(values, share).toFixed(3)));
const eyes = { found: found.length, of: rows.length, apart: spread(apart), down: spread(down), across: spread(across), tilt: spread(tilt) };
console.log(JSON.stringify(eyes));

// What it is worth.
const middle = { apart: quantile(apart, 0.5), down: quantile(down, 0.5) };
const WAYS = {
  'as it was': undefined,
  'turned, not found': undefined,
  ...Object.fromEntries(
    [0.92, 1, 1.08].flatMap((by) =>
      [-0.08, -0.04, 0].map((lower) => [
        `aligned, eyes ${by} times as far apart, ${lower} lower`,
        { layout: { apart: middle.apart * by, down: middle.down + lower } },
      ]),
    ),
  ),
  'not turned upright': { layout: middle, align: false },
  'by the box alone': { layout: middle, box: true },
  'as lib/faces/align.ts has it': { layout: FER2013_LAYOUT },
};
const right = Object.fromEntries(Object.keys(WAYS).map((way) => [way, models.map(() => 0)]));
let seen = 0;
for (const row of rows) {
  const degrees = (random() * 2 - 1) * 30;
  const picture = placed(facesOf(row), SCALE, degrees, SIDE);
  const [face] = finder.find(coloured(picture), 0.5);
  if (!face) continue;
  seen++;
  for (const [way, how] of Object.entries(WAYS)) {
    let pixels = facesOf(row);
    if (way === 'turned, not found') {
      const { pixels: all, width } = placed(facesOf(row), 1, degrees, SIZE);
      pixels = all.subarray(0, width * width);
    } else if (how) pixels = cutFace(picture, how.box ? { ...face, eyes: undefined } : face, SIZE, how.align ?? true, how.layout);
    for (const [m, model] of models.entries()) {
      const { index } = await model.predict({ pixels, width: SIZE, height: SIZE });
      if (index === data.labels[row]) right[way][m]++;
    }
  }
}
const accuracy = Object.fromEntries(
  Object.entries(right).map(([way, counts]) => [way, counts.map((k) => Number(((100 * k) / seen).toFixed(1)))]),
);
const result = {
  split: 'PublicTest',
  images: rows.length,
  eyes,
  turned: 'within ±30°',
  foundTurned: seen,
  models: ['narrow', 'robust'],
  accuracy,
};
console.log(JSON.stringify(result, null, 1));
writeFileSync(new URL('../../bench/results/faces-cut.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
