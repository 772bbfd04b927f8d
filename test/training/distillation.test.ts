import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import type { FitOptions, TrainingResult } from '../../lib/training/fit.js';

const SIZE = 24;

let folder: string;
let all: LabelledImages;
let data: LabelledImages;
let teacher: string;
let other: string;

const student = (seed = 1): MiniXception =>
  MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: SIZE, seed, threads: 1 });
const options: FitOptions = { preset: 'quick', epochs: 2, batchSize: 20, seed: 3, geometric: 1, rotation: 10 };
const losses = ({ rows }: TrainingResult): number[] => rows.map(({ trainLoss }) => trainLoss);
const weights = async (model: MiniXception): Promise<unknown> =>
  [...(await model.tensors())].map(([name, tensor]) => [name, [...tensor.data]]);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-distillation-'));
  all = syntheticFaces({ size: SIZE });
  data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, name === 'Training' ? 400 : 140)])) };
  // Of another width and another input size than the student.
  using large = MiniXception.create({ width: { stem: [8, 8], modules: [16, 16] }, inputSize: 32, seed: 5, threads: 1 });
  await large.fit(all, { preset: 'quick', epochs: 4 });
  await large.save((teacher = path.join(folder, 'large.safetensors')));
  using second = MiniXception.create({ width: { stem: [8, 8], modules: [16, 16] }, inputSize: 32, seed: 6, threads: 1 });
  await second.save((other = path.join(folder, 'other.safetensors')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a network that learns from another', () => {
  it('learns something else than from the labels alone, unless the teacher has no share', async () => {
    const run = async (given: FitOptions): Promise<unknown> => {
      using model = student();
      await model.fit(data, { ...options, ...given });
      return weights(model);
    };
    const alone = await run({});
    expect(await run({ teacher: [teacher], distill: 0 })).toEqual(alone);
    const taught = await run({ teacher: [teacher] });
    expect(taught).not.toEqual(alone);
    expect(await run({ teacher: [teacher] })).toEqual(taught);
    expect(await run({ teacher: [teacher, teacher] })).toEqual(taught);
    expect(await run({ teacher: [teacher, other] })).not.toEqual(taught);
    expect(await run({ teacher: [teacher], temperature: 2 })).not.toEqual(taught);
  });

  it('comes to say what its teacher says, whatever the labels say', async () => {
    const wrong = { ...all, labels: new Uint8Array(all.labels.length) };
    using model = student();
    const { rows } = await model.fit(wrong, { ...options, epochs: 6, teacher: [teacher], distill: 1, selectBy: 'last' });
    expect(rows[5].trainLoss).toBeLessThan(rows[0].trainLoss / 2);
    const { accuracy } = await model.evaluate(all, { split: 'PublicTest' });
    expect(accuracy).toBeGreaterThan(0.3); // one in seven by chance
  });

  it('goes on, interrupted, as if it had never stopped', async () => {
    const given = { ...options, teacher: [teacher, other] };
    using straight = student();
    const whole = await straight.fit(data, given);
    const runFolder = path.join(folder, 'run');
    using first = student();
    await first.fit(data, { ...given, runFolder, signal: AbortSignal.abort() });
    using resumed = student(9);
    const result = await resumed.fit(data, { runFolder, resume: true });
    expect(losses(result)).toEqual(losses(whole));
    expect(await weights(resumed)).toEqual(await weights(straight));
    expect(resumed.metadata.training).toMatchObject({ config: { teacher: ['large.safetensors', 'other.safetensors'], distill: 0.7 } });
  });

  it('does not go on with another teacher under the same name, or without it', async () => {
    const runFolder = path.join(folder, 'changed');
    const name = path.join(folder, 'changing.safetensors');
    using second = await MiniXception.load(other);
    await second.save(name);
    using model = student();
    await model.fit(data, { ...options, teacher: [name], runFolder, signal: AbortSignal.abort() });
    using first = await MiniXception.load(teacher);
    await first.save(name);
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: `${name} has other weights than when ${runFolder} began to learn from it`,
    });
    rmSync(name);
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({ code: 'ERR_FER_DATA_NOT_FOUND' });
  });

  it('needs a teacher of its own classes', async () => {
    using model = MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: SIZE, classes: ['a', 'b'] });
    const few = { ...data, classes: ['a', 'b'], labels: data.labels.map((label) => label % 2) };
    await expect(model.fit(few, { ...options, teacher: [teacher] })).rejects.toMatchObject({
      code: 'ERR_FER_CONFIG',
      message: expect.stringContaining('expected a teacher of the classes a, b, got') as string,
    });
    await expect(model.fit(few, { ...options, teacher: [''] })).rejects.toThrow('expected a list of models, got [""], for teacher');
  });
});
