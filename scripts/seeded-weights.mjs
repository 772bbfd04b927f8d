#!/usr/bin/env node
// Prints the sha256 of the weights that seeded trainings on the synthetic faces end with, augmentation on: narrow for three
// epochs and wide for one, by SGD and AdamW. A change that only moves code leaves the figures as they are; compare two
// checkouts on one machine, since instruction set and thread count are part of a result.
//   node scripts/seeded-weights.mjs [folder of another checkout, built]
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
const { MiniXception, syntheticFaces } = await import(pathToFileURL(path.resolve(root, 'dist', 'index.js')));

const AUGMENTED = { flip: 0.5, geometric: 0.8, rotation: 15, shift: 0.08, zoom: 0.1, photometric: 0.5, brightness: 0.3, cutout: 0.3 };
const faces = syntheticFaces();

for (const [width, epochs] of [
  ['narrow', 3],
  ['wide', 1],
])
  for (const optimizer of ['sgd', 'adamw']) {
    const model = MiniXception.create({ width, seed: 5, threads: 2 });
    const learningRate = optimizer === 'sgd' ? 0.01 : 0.002;
    const options = { epochs, optimizer, learningRate, batchSize: 40, seed: 5, emaDecay: 0.9, selectBy: 'last', ...AUGMENTED };
    const { evaluation } = await model.fit(faces, { preset: 'quick', ...options });
    const hash = createHash('sha256');
    for (const [name, { data }] of await model.tensors())
      hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    console.log(
      `${width.padEnd(6)} ${optimizer.padEnd(5)} ${epochs} epochs  ${hash.digest('hex')}  accuracy ${(100 * evaluation.accuracy).toFixed(2)} %`,
    );
    model.dispose();
  }
