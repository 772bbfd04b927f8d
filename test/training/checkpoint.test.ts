/** A checkpoint is checked in every field before anything is built from it. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { readModelFile, writeModelFile, type ModelFile } from '../../lib/network/model-file.js';
import type { Progress } from '../../lib/training/progress.js';

let folder: string;
let good: string;
let data: LabelledImages;
const newModel = (classes?: string[]): MiniXception =>
  MiniXception.create({ width: { stem: [32, 32], modules: [64] }, inputSize: 32, threads: 1, classes });

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-checkpoint-'));
  good = path.join(folder, 'good');
  const all = syntheticFaces({ size: 32 });
  data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, 300)])) };
  using model = newModel();
  const stop = new AbortController();
  // In the second epoch, after some steps: each takes milliseconds, and there are sixty.
  const onEpoch = (): unknown => setTimeout(() => stop.abort(), 100);
  const how = { preset: 'quick', schedule: 'plateau', epochs: 3, batchSize: 5 } as const;
  const result = await model.fit(data, { ...how, runFolder: good, signal: stop.signal, onEpoch });
  expect(result).toMatchObject({ aborted: true, rows: [{ epoch: 1 }] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
async function spoilt(spoil: (file: ModelFile & { progress: Progress }) => void): Promise<string> {
  const runFolder = path.join(folder, `run${runs++}`);
  mkdirSync(runFolder);
  const file = await readModelFile(path.join(good, 'last.safetensors'));
  spoil({ ...file, progress: file.metadata.training as unknown as Progress });
  await writeModelFile(path.join(runFolder, 'last.safetensors'), file);
  return runFolder;
}

const set = (where: string, value: unknown) => (progress: Progress) => {
  const keys = where.split('.');
  const last = keys.pop()!;
  const part = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, progress as never);
  if (value === undefined) delete part[last];
  else part[last] = value;
};

describe('a checkpoint', () => {
  it.each([
    ['totals.step', -1000000, 'training.totals.step: expected a whole number from 0, got -1000000'],
    ['totals.step', -1, 'training.totals.step: expected a whole number from 0, got -1'],
    ['totals.step', 1e300, 'training.totals.step: expected a whole number from 0, got 1e+300'],
    ['totals.step', '1', 'training.totals.step: expected a whole number from 0, got "1"'],
    ['totals.step', 0, 'training.totals.seen: expected the images of 0 steps of 5'],
    ['totals.seen', 1e6, 'training.totals.seen: expected the images of'],
    ['totals.correct', 1e5, 'training.totals.correct: expected at most the'],
    ['totals.lossSum', null, 'training.totals.lossSum: expected a number from 0, got null'],
    ['totals', null, 'training.totals: expected an object, got null'],
    ['epoch', null, 'training.epoch: expected a whole number from 0, got null'],
    ['epoch', 2, 'training.rows: expected 2 rows, one a finished epoch'],
    ['epoch', 400, 'training.epoch: expected at most the 3 epochs of its configuration, got 400'],
    ['steps', -5, 'training.steps: expected a whole number from 0, got -5'],
    ['steps', 1, 'training.steps: expected at least'],
    ['schedule', null, 'training.schedule: expected an object, got null'],
    ['schedule.learningRate', 'fast', 'training.schedule.learningRate: expected a number from 0, got "fast"'],
    ['schedule.bad', undefined, 'training.schedule.bad: expected a number beside the others, got nothing'],
    ['rows', [], 'training.rows: expected 1 rows, one a finished epoch, got []'],
    ['rows', {}, 'training.rows: expected a list, got {}'],
    ['rows.0.epoch', 7, 'training.rows[0].epoch: expected 1, got 7'],
    ['rows.0.trainLoss', null, 'training.rows[0].trainLoss: expected a number from 0, got null'],
    ['best', null, 'training.best: expected an object, got null'],
    ['best.epoch', 9, 'training.best.epoch: expected an epoch from 1 to 1, got 9'],
    ['best.accuracy', 0.999, 'training.best.accuracy: expected that of row 1, got 0.999'],
    ['dataSource', 5, 'training.dataSource: expected text, got 5'],
    ['devices', 'cpu', 'training.devices: expected a list, got "cpu"'],
    ['config', null, 'training.config: expected the options of a training'],
    ['config.batchSize', -1, 'training.config: expected a whole number from 1 to 4096, got -1, for batchSize'],
    ['config.optimizer', 'toString', 'training.config: expected sgd, adam or adamw, got "toString", for optimizer'],
    ['config.width', 'wide', 'its configuration is that of a wide network at 32 pixels, and it holds another'],
  ])('whose %s is %j is refused', async (where, value, message) => {
    const runFolder = await spoilt(({ progress }) => set(where, value)(progress));
    using model = newModel();
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringContaining(message) as string,
    });
  });

  it('with a tensor of the optimiser that is missing or of another shape is refused', async () => {
    const attempt = async (spoil: (tensors: ModelFile['tensors'], name: string) => void): Promise<unknown> => {
      const runFolder = await spoilt(({ tensors }) => spoil(tensors, [...tensors.keys()].find((name) => name.startsWith('moment1.'))!));
      using model = newModel();
      return await model.fit(data, { runFolder, resume: true });
    };
    const refusal = (what: RegExp) => ({ code: 'ERR_FER_CHECKPOINT', message: expect.stringMatching(what) as string });
    await expect(attempt((tensors, name) => tensors.delete(name))).rejects.toMatchObject(refusal(/lacks moment1\./));
    await expect(attempt((tensors, name) => tensors.set(name, { shape: [2], data: new Float32Array(2) }))).rejects.toMatchObject(
      refusal(/expected shape \[.*\], got \[2\], for moment1\./),
    );
  });

  it('that stands further in its epoch than the data go is refused', async () => {
    const runFolder = await spoilt(({ progress }) => Object.assign(progress, { steps: 520, totals: { ...progress.totals, step: 500, seen: 2500 } })); // prettier-ignore
    using model = newModel();
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(/at step 500, after 2500 images, of an epoch that has 60 steps of 5/) as string,
    });
  });

  it('of other classes is refused', async () => {
    using model = newModel(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const other = { ...data, classes: [...model.classes] };
    await expect(model.fit(other, { runFolder: good, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(/trains for the classes angry, .* not a, b, c/) as string,
    });
  });

  it('that is sound goes on', async () => {
    const runFolder = path.join(folder, 'on');
    mkdirSync(runFolder);
    for (const name of ['last.safetensors', 'best.safetensors']) copyFileSync(path.join(good, name), path.join(runFolder, name));
    using model = newModel();
    expect((await model.fit(data, { runFolder, resume: true })).rows).toHaveLength(3);
  });
});
