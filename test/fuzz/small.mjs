/** What the targets make their seeds of: a network and a data set that take milliseconds. */
import assert from 'node:assert/strict';
import { MiniXception, syntheticFaces } from '../../dist/index.js';

export const SIZE = 20;
export const WIDTH = { stem: [3, 4], modules: [5, 6] };

export const smallModel = () => MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 2, threads: 1 });

let all; // drawing all of them takes half a second

/** `count` faces of [SIZE, SIZE], most of them to train with. */
export function smallData(count = 28) {
  all ??= syntheticFaces({ size: SIZE });
  const kept = Uint32Array.from({ length: count }, (_, i) => i);
  const cut = [count - 14, count - 7, count];
  return {
    ...all,
    images: all.images.slice(0, count * SIZE * SIZE),
    labels: all.labels.slice(0, count),
    splits: new Map(['Training', 'PublicTest', 'PrivateTest'].map((name, i) => [name, kept.slice(cut[i - 1] ?? 0, cut[i])])),
  };
}

/** A data set is whole: as many pixels and rows as its labels ask for. */
export function checkData({ images, labels, size, classes, splits, name }) {
  assert.equal(typeof name, 'string');
  assert.ok(Number.isInteger(size) && size > 0 && labels.length > 0, `a size of ${size}, ${labels.length} labels`);
  assert.equal(images.length, labels.length * size * size);
  assert.ok(
    labels.every((label) => label < classes.length),
    'a label without a class',
  );
  for (const rows of splits.values())
    assert.ok(
      rows.every((row) => row < labels.length),
      'a row beyond the last image',
    );
}

/** A network answers: as many probabilities as it has classes, that add up to 1. */
export async function checkModel(model) {
  const { inputSize } = model;
  const pixels = Uint8Array.from({ length: inputSize * inputSize }, (_, i) => (i * 7) % 256);
  const { probabilities } = await model.predict({ pixels, width: inputSize, height: inputSize });
  const values = Object.values(probabilities);
  assert.equal(values.length, model.classes.length);
  assert.ok(Math.abs(values.reduce((a, b) => a + b) - 1) < 1e-3, `probabilities ${values.join(', ')}`);
}

/** What `body` gives of a model, which is freed whatever comes of it. */
export async function using(model, body) {
  try {
    return await body(model);
  } finally {
    model.dispose();
  }
}
