import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import type { Precision } from '../../lib/device.js';
import { MiniXception } from '../../lib/model.js';
import type { FitOptions, TrainingResult } from '../../lib/training/fit.js';
import type { WidthSpec } from '../../lib/network/width.js';

const WIDTH: WidthSpec = { stem: [4, 8], modules: [8, 16] };
const OPTIONS: FitOptions = {
  preset: 'quick',
  epochs: 3,
  batchSize: 40,
  flip: 0.5,
  geometric: 0.5,
  rotation: 10,
  cutout: 0.3,
  cutoutSize: 0.3,
  seed: 5,
};

let folder: string;
let data: LabelledImages;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-fit-'));
  const all = syntheticFaces({ size: 32 });
  // A third of the training images: enough steps an epoch to interrupt, few enough to be quick.
  data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, name === 'Training' ? rows.subarray(0, 900) : rows])) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
const newFolder = (): string => path.join(folder, `run${runs++}`);
const newModel = (threads = 2): MiniXception => MiniXception.create({ width: WIDTH, inputSize: 32, seed: 5, threads });
const weights = async (model: MiniXception): Promise<Record<string, number[]>> =>
  Object.fromEntries([...(await model.tensors())].map(([name, { data }]) => [name, [...data]]));
const figures = (result: TrainingResult): unknown => result.rows.map(({ seconds: _s, imagesPerSecond: _i, ...row }) => row);

describe('fit', () => {
  it('learns, evaluates the test split once, and writes its folder', async () => {
    const runFolder = newFolder();
    using model = newModel();
    const before = (await model.evaluate(data)).accuracy;
    const seen: number[] = [];
    const result = await model.fit(data, {
      ...OPTIONS,
      geometric: 0,
      cutout: 0,
      epochs: 8,
      runFolder,
      onEpoch: (row) => seen.push(row.epoch),
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(result.evaluatedSplit).toBe('PrivateTest');
    expect(result.evaluation?.accuracy).toBeGreaterThan(before + 0.2);
    expect((await model.evaluate(data)).accuracy).toBe(result.evaluation?.accuracy);
    for (const file of [
      'config.json',
      'metrics.jsonl',
      'metrics.csv',
      'best.safetensors',
      'last.safetensors',
      'model.safetensors',
      'evaluation.json',
      'report.txt',
      'data.json',
      'README.md',
    ])
      expect(existsSync(path.join(runFolder, file)), file).toBe(true);
    for (const chart of ['curves', 'confusion-matrix']) {
      expect(readFileSync(path.join(runFolder, `${chart}.svg`), 'utf8')).toMatch(/^<svg/);
      expect(readFileSync(path.join(runFolder, `${chart}.png`)).toString('latin1', 1, 4)).toBe('PNG');
    }
    expect(readFileSync(path.join(runFolder, 'metrics.csv'), 'utf8').trim().split('\n')).toHaveLength(9);
    using loaded = await MiniXception.load(path.join(runFolder, 'model.safetensors'));
    expect(await weights(loaded)).toEqual(await weights(model));
    // The weights are those of the chosen epoch.
    const rows = result.rows.map((row) => row.validationAccuracy);
    expect(result.chosen.accuracy).toBe(Math.max(...rows));
    expect(result.chosen.epoch).toBe(rows.indexOf(Math.max(...rows)) + 1);
  });

  it('repeats bit for bit for a seed and thread count', async () => {
    using first = newModel();
    using second = newModel();
    const a = await first.fit(data, OPTIONS);
    const b = await second.fit(data, OPTIONS);
    expect(figures(a)).toEqual(figures(b));
    expect(await weights(first)).toEqual(await weights(second));
    using other = newModel();
    const c = await other.fit(data, { ...OPTIONS, seed: 6 });
    expect(figures(c)).not.toEqual(figures(a));
  });

  it.each([
    ['adamw with averaged weights', 'fp32', {}],
    ['sgd on plateau', 'fp32', { optimizer: 'sgd', learningRate: 0.02, schedule: 'plateau', emaDecay: 0, plateauPatience: 0 }],
    ['in bf16', 'bf16', {}],
  ] as [string, Precision, FitOptions][])('resumes within an epoch as if it had never stopped: %s', async (_, precision, extra) => {
    const options: FitOptions = { ...OPTIONS, ...extra };
    const newModel = (seed = 5): MiniXception => MiniXception.create({ width: WIDTH, inputSize: 32, seed, threads: 2, precision });
    using straight = newModel();
    const whole = await straight.fit(data, options);

    const runFolder = newFolder();
    const stop = new AbortController();
    using interrupted = newModel();
    const first = await interrupted.fit(data, {
      ...options,
      runFolder,
      signal: stop.signal,
      onEpoch: (row) => row.epoch === 2 && setTimeout(() => stop.abort(), 30),
    });
    expect(first.aborted).toBe(true);
    expect(first.rows).toHaveLength(2);
    expect(first.evaluation).toBeUndefined();

    using resumed = newModel(99);
    const second = await resumed.fit(data, { runFolder, resume: true });
    expect(second.aborted).toBe(false);
    expect(figures(second)).toEqual(figures(whole));
    expect(await weights(resumed)).toEqual(await weights(straight));
    expect(second.evaluation).toEqual(whole.evaluation);
    expect(second.notes).toEqual(whole.notes);
  });

  it('says so where a run goes on with another number of threads or another instruction set', async () => {
    const runFolder = newFolder();
    const stop = new AbortController();
    using first = newModel(2);
    await first.fit(data, { ...OPTIONS, runFolder, signal: stop.signal, onEpoch: () => stop.abort() });
    using second = newModel(1);
    const { notes } = await second.fit(data, { runFolder, resume: true });
    expect(notes.filter((note) => note.startsWith('computed on'))).toEqual([
      `computed on ${first.deviceDescription}; then on ${second.deviceDescription}: run on one of them throughout, it would differ in its last digits`,
    ]);
  });

  it('refuses a used folder, a missing checkpoint and another network', async () => {
    const runFolder = newFolder();
    using model = newModel();
    await model.fit(data, { ...OPTIONS, epochs: 1, runFolder });
    await expect(model.fit(data, { ...OPTIONS, runFolder })).rejects.toMatchObject({ code: 'ERR_FER_CHECKPOINT' });
    await expect(model.fit(data, { runFolder: newFolder(), resume: true })).rejects.toMatchObject({ code: 'ERR_FER_CHECKPOINT' });
    using narrow = MiniXception.create({ inputSize: 32 });
    await expect(narrow.fit(data, { runFolder, resume: true })).rejects.toThrow(/trains a 4,8:8,16 network at 32 pixels, not narrow at 32/);
  });

  it('ends with a clear error when the loss diverges', async () => {
    using model = newModel();
    await expect(
      model.fit(data, { ...OPTIONS, preset: 'paper', optimizer: 'sgd', schedule: 'constant', learningRate: 100, weightDecay: 10 }),
    ).rejects.toMatchObject({
      code: 'ERR_FER_DIVERGED',
    });
  });

  it('stops early, holds out validation where there is no PublicTest, and balances classes', async () => {
    using model = newModel();
    const merged = {
      ...data,
      splits: new Map([
        ['Training', data.splits.get('Training') as Uint32Array],
        ['Test', data.splits.get('PrivateTest') as Uint32Array],
      ]),
    };
    const result = await model.fit(merged, {
      ...OPTIONS,
      epochs: 30,
      learningRate: 1e-7,
      emaDecay: 0,
      earlyStopping: 2,
      balanceClasses: true,
    });
    expect(result.rows.length).toBeLessThan(30);
    expect(result.rows.length - result.chosen.epoch).toBe(2);
    expect(result.notes.join()).toContain('every tenth training image');
    expect(result.evaluatedSplit).toBe('Test');
  });

  it('leaves the event loop free while it trains', async () => {
    using model = newModel();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const started = performance.now();
    await model.fit(data, { ...OPTIONS, epochs: 2 });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan((performance.now() - started) / 5 / 4);
  });
});
