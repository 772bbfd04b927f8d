// A training that is interrupted and goes on, followed by trackers.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { MiniXception, syntheticFaces } from '../../dist/index.js';

export const EPOCHS = 5;

/** Trains on faces of 20 pixels, stopped within the third epoch, then to its end; `trackers()` makes those of each process. */
export async function interruptedTraining(runFolder, trackers) {
  const data = syntheticFaces({ size: 20 });
  const ending = new AbortController();
  const one = (seed) => MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: 20, seed });
  const options = { preset: 'quick', epochs: EPOCHS, flip: 0.5, seed: 7 };
  const first = one(1);
  const onProgress = ({ epoch, step }) => epoch === 3 && step > 2 && ending.abort();
  await first.fit(data, { ...options, runFolder, trackers: trackers(), signal: ending.signal, onProgress });
  first.dispose();
  const second = one(2);
  const result = await second.fit(data, { runFolder, resume: true, trackers: trackers() });
  second.dispose();
  const rows = readFileSync(path.join(runFolder, 'metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line)); // prettier-ignore
  return { result, rows };
}

/** The columns of metrics.jsonl that the scalars of an epoch are. */
export const SCALARS = {
  'loss/training': 'trainLoss',
  'loss/validation': 'validationLoss',
  'accuracy/training': 'trainAccuracy',
  'accuracy/validation': 'validationAccuracy',
  learning_rate: 'learningRate',
  seconds: 'seconds',
  images_per_second: 'imagesPerSecond',
};

/** What of `found` (steps and values, a tag) is not what the rows have, but for float32. */
export function differences(found, rows) {
  const close = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1e-6, Math.abs(b));
  return Object.entries(SCALARS).flatMap(([tag, column]) => {
    const points = found[tag] ?? [];
    const same =
      points.length === rows.length && points.every(([step, value], i) => step === rows[i].epoch && close(value, rows[i][column]));
    return same ? [] : [`${tag}: ${JSON.stringify(points)}, expected ${JSON.stringify(rows.map((row) => row[column]))}`];
  });
}
