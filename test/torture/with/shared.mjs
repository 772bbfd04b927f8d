// What all attacks need: a small data set, pictures, models, in a folder that everybody may read.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { MiniXception, syntheticFaces } from '../../../dist/index.js';
import { MODELS } from './program.mjs';

const ROWS = { Training: 420, PublicTest: 140, PrivateTest: 140 };
const PICTURES = 64;

/** { folder, small, faces (CSV), picture, pictures (folder), model, wide }; `small`: the short form runs. */
export async function makeShared(folder, small) {
  const faces = path.join(folder, 'faces.csv');
  const pictures = path.join(folder, 'pictures');
  const wide = path.join(folder, 'wide.safetensors');
  chmodSync(folder, 0o755);
  mkdirSync(pictures);
  const data = syntheticFaces();
  const square = data.size * data.size;
  const image = (row) => data.images.subarray(row * square, (row + 1) * square);
  const lines = [...data.splits].flatMap(([split, rows]) =>
    Array.from(rows.subarray(0, ROWS[split]), (row) => `${data.labels[row]},${image(row).join(' ')},${split}`),
  );
  writeFileSync(faces, `emotion,pixels,Usage\n${lines.join('\n')}\n`);
  for (let i = 0; i < PICTURES; i++)
    await sharp(image(i), { raw: { width: data.size, height: data.size, channels: 1 } })
      .resize(200, 200)
      .jpeg()
      .toFile(path.join(pictures, `${i}.jpg`));
  const model = MiniXception.create({ width: 'wide', classes: data.classes });
  await model.save(wide);
  model.dispose();
  return { folder, small, faces, picture: path.join(pictures, '0.jpg'), pictures, model: MODELS[0], wide };
}
