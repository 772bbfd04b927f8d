// What all attacks need: a small data set, pictures, models, in a folder that everybody may read.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { MiniXception, syntheticFaces } from '../../../dist/index.js';
import { MODELS } from './program.mjs';

const FEW = { Training: 420, PublicTest: 140, PrivateTest: 140 };
/** A few steps of 8: seconds, however wide the network. */
const HANDFUL = { Training: 64, PublicTest: 35, PrivateTest: 35 };
/** More than one step of 1024 images. */
const MANY = { Training: 1050, PublicTest: 70, PrivateTest: 70 };
const PICTURES = 64;

/** { folder, small, faces, handful and many (CSV), picture, pictures (folder), model, wide }; `small`: the short form runs. */
export async function makeShared(folder, small) {
  const [faces, handful, many] = ['faces.csv', 'handful.csv', 'many.csv'].map((name) => path.join(folder, name));
  const pictures = path.join(folder, 'pictures');
  const wide = path.join(folder, 'wide.safetensors');
  chmodSync(folder, 0o755);
  mkdirSync(pictures);
  const data = syntheticFaces();
  const square = data.size * data.size;
  const image = (row) => data.images.subarray(row * square, (row + 1) * square);
  const csv = (rowsOf) => {
    const line = (row, split) => `${data.labels[row]},${image(row).join(' ')},${split}\n`;
    const lines = [...data.splits].flatMap(([split, rows]) => Array.from(rows.subarray(0, rowsOf[split]), (row) => line(row, split)));
    return `emotion,pixels,Usage\n${lines.join('')}`;
  };
  writeFileSync(faces, csv(FEW));
  writeFileSync(handful, csv(HANDFUL));
  writeFileSync(many, csv(MANY));
  for (let i = 0; i < PICTURES; i++)
    await sharp(image(i), { raw: { width: data.size, height: data.size, channels: 1 } })
      .resize(200, 200)
      .jpeg()
      .toFile(path.join(pictures, `${i}.jpg`));
  const model = MiniXception.create({ width: 'wide', classes: data.classes });
  await model.save(wide);
  model.dispose();
  return { folder, small, faces, handful, many, picture: path.join(pictures, '0.jpg'), pictures, model: MODELS[0], wide };
}
