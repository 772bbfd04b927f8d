/** Small data sets of drawn faces, as files: `face.png`, `faces.csv` (14 a split) and the folder `training-only`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { native } from '../../lib/native.js';
import { kerasConfig, writeKeras } from '../network/keras-file.mjs';

const faces = syntheticFaces();
const pixelsOf = (row: number): Uint8Array => faces.images.subarray(row * 2304, (row + 1) * 2304);

/** A drawn face as a picture of `size` x `size` pixels, in the format that the file's name ends in. */
export async function faceFile(file: string, row = 0, size = 48): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  await sharp(pixelsOf(row), { raw: { width: 48, height: 48, channels: 1 } })
    .resize(size)
    .toFile(file);
}

/** FER2013's form. */
export function facesCsv(): string {
  const rows = [...faces.splits.values()].flatMap((split, i) =>
    [...split.subarray(0, 14)].map(
      (row) => `${faces.labels[row]},${pixelsOf(row).join(' ')},${['Training', 'PublicTest', 'PrivateTest'][i]}`,
    ),
  );
  return `emotion,pixels,Usage\n${rows.join('\n')}\n`;
}

/** Three pictures a class in each split of an image folder. */
export async function faceFolder(folder: string, splits: readonly string[]): Promise<void> {
  for (const [i, split] of splits.entries())
    for (const [c, name] of faces.classes.entries())
      for (const row of [...faces.labels.keys()].filter((each) => faces.labels[each] === c).slice(3 * i, 3 * i + 3))
        await faceFile(path.join(folder, split, name, `${row}.png`), row);
}

/** As CK+48 comes: class folders, contempt among them and no neutral, twelve subjects by name. */
export async function subjectFolder(folder: string): Promise<void> {
  for (const [c, name] of ['anger', 'disgust', 'fear', 'happy', 'sadness', 'surprise', 'contempt'].entries())
    for (const [i, row] of [...faces.labels.keys()]
      .filter((each) => faces.labels[each] === c)
      .slice(0, 24)
      .entries())
      await faceFile(path.join(folder, name, `S${100 + (i % 12)}_00${c}_${i}.png`), row);
}

/** As Keras 2 writes a small Mini_XCEPTION. */
export async function kerasModel(file: string): Promise<void> {
  using model = MiniXception.create({ width: { stem: [3, 4], modules: [5, 6] }, seed: 1 });
  const { config, weights } = kerasConfig(native().describe({ ...model.width, classes: 7, inputSize: 48 }), 48);
  await writeKeras(file, JSON.stringify(config), weights, await model.tensors());
}

export async function faceFiles(folder: string): Promise<void> {
  await faceFile(path.join(folder, 'face.png'));
  writeFileSync(path.join(folder, 'faces.csv'), facesCsv());
  await faceFolder(path.join(folder, 'training-only'), ['train']);
}
