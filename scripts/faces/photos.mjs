#!/usr/bin/env node
// How many faces the finder finds, and how long it takes: on six free photographs of groups, whole and smaller, and on pages of drawn faces.
//   npm install --prefix build/faces-photos --ignore-scripts @vladmandic/face-api@1.7.15
//   node scripts/faces/photos.mjs [--out bench/results/faces.json]
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { readFlags } from '../flags.mjs';
import { faceFinder, MiniXception, syntheticFaces } from '../../dist/index.js';
import { overlap } from '../../dist/faces/blazeface.js';
import { watch } from '../../bench/quiet.mjs';

const { values } = readFlags({ options: { out: { type: 'string' } } });
const watched = watch();
const folder = fileURLToPath(new URL('../../build/faces-photos/node_modules/@vladmandic/face-api/demo/', import.meta.url));
/** Faces that people see on them. */
const PHOTOS = { 'sample1.jpg': 3, 'sample2.jpg': 3, 'sample3.jpg': 3, 'sample4.jpg': 4, 'sample5.jpg': 5, 'sample6.jpg': 4 };
const SIDES = [1920, 960, 480, 240];

const finder = faceFinder();
const model = await MiniXception.pretrained('robust');
const sum = (list) => list.reduce((a, b) => a + b, 0);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// The thread starts, and its loops become fast.
const still = { pixels: new Uint8Array(256 * 256 * 3), width: 256, height: 256 };
for (let i = 0; i < 3; i++) await finder.find(still);
const look = [];
for (let i = 0; i < 9; i++) {
  const began = performance.now();
  await finder.find(still);
  look.push(performance.now() - began);
}

const rows = [];
const whole = {};
for (const side of SIDES) {
  let [found, again, extra] = [0, 0, 0];
  const [milliseconds, faces] = [[], []];
  for (const [name, count] of Object.entries(PHOTOS)) {
    const image = await sharp(folder + name).resize(side, side, { fit: 'inside' }).jpeg({ quality: 90 }).toBuffer(); // prettier-ignore
    const began = performance.now();
    const answers = await model.predictFaces(image, { finder });
    milliseconds.push(performance.now() - began);
    // What is found on the whole photograph, at this size.
    const boxes = answers.map(({ box }) => Object.fromEntries(Object.entries(box).map(([key, value]) => [key, (value * SIDES[0]) / side])));
    whole[name] ??= boxes;
    found += Math.min(boxes.length, count);
    extra += Math.max(0, boxes.length - count);
    again += whole[name].filter((place) => boxes.some((box) => overlap(place, box) > 0.3)).length;
    faces.push(...answers.map(({ box }) => box.width));
  }
  rows.push({
    longerSide: side,
    found,
    of: sum(Object.values(PHOTOS)),
    sameAsOnTheWhole: again,
    beyond: extra,
    medianFacePixels: Math.round(median(faces) ?? 0),
    medianMilliseconds: Math.round(median(milliseconds)),
  });
}
console.table(rows);

/** Twelve drawn faces, four across, on grey. */
async function page(first, scale) {
  const { images, size } = syntheticFaces();
  const each = size * scale;
  const tiles = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => ({
      input: await sharp(images.slice((first + i) * size * size, (first + i + 1) * size * size), { raw: { width: size, height: size, channels: 1 } }).resize(each).png().toBuffer(), // prettier-ignore
      left: Math.round((i % 4) * each * 1.5 + each / 4),
      top: Math.round(Math.floor(i / 4) * each * 1.5 + each / 4),
    })),
  );
  return sharp({ create: { width: each * 6, height: Math.round(each * 4.5), channels: 3, background: '#808080' } })
    .composite(tiles)
    .png()
    .toBuffer();
}
const drawn = [];
for (let first = 0; first < 60; first += 12) drawn.push((await model.predictFaces(await page(first, 4), { finder })).length);
const result = {
  quiet: watched(),
  oneLookMilliseconds: { fastest: Math.round(Math.min(...look)), median: Math.round(median(look)) },
  photographs: rows,
  drawn: { found: sum(drawn), of: 60 },
};
console.log(JSON.stringify({ ...result, photographs: undefined }));
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
await finder.close();
model.dispose();
