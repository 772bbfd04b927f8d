import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import type { FitOptions, TrainingResult } from '../../lib/training/fit.js';
import { Plateau } from '../../lib/training/schedules.js';
import { readModelFile, writeModelFile } from '../../lib/network/model-file.js';

const OPTIONS: FitOptions = { preset: 'quick', epochs: 3, batchSize: 20, seed: 3 };

let folder: string;
let data: LabelledImages;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-run-'));
  const all = syntheticFaces({ size: 24 });
  data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, name === 'Training' ? 600 : 200)])) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
const newFolder = (): string => path.join(folder, `run${runs++}`);
const newModel = (seed = 3): MiniXception =>
  MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: 24, seed, threads: 2 });
const weights = async (model: MiniXception): Promise<unknown> =>
  [...(await model.tensors())].map(([name, tensor]) => [name, [...tensor.data]]);
const figures = (result: TrainingResult): unknown => result.rows.map(({ seconds: _s, imagesPerSecond: _i, ...row }) => row);
const rowsIn = (runFolder: string): { epoch: number }[] =>
  readFileSync(path.join(runFolder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { epoch: number });

describe('an interrupted run', () => {
  it.each([
    [
      'adam, clipped, balanced, plateau on accuracy',
      {
        optimizer: 'adam',
        schedule: 'plateau',
        plateauMetric: 'accuracy',
        plateauPatience: 0,
        clipNorm: 0.5,
        balanceClasses: true,
        labelSmoothing: 0.1,
      },
    ],
    [
      'balanced sampling, the rare class augmented more',
      { balancedSampling: 0.7, rareAugmentation: 1, geometric: 1, rotation: 10, shift: 0.1 },
    ],
    [
      'nesterov, warm-up and cosine, last epoch',
      { optimizer: 'sgd', nesterov: true, learningRate: 0.02, schedule: 'cosine', warmupEpochs: 1.5, selectBy: 'last' },
    ],
  ] as [string, FitOptions][])('may be stopped at every turn: %s', async (_, extra) => {
    const options: FitOptions = { ...OPTIONS, ...extra };
    using straight = newModel();
    const whole = await straight.fit(data, options);

    const runFolder = newFolder();
    using first = newModel();
    // Before it begins: one step is taken at most.
    let result = await first.fit(data, { ...options, runFolder, signal: AbortSignal.abort() });
    expect(result).toMatchObject({ aborted: true, rows: [] });
    for (let stops = 1; result.aborted; stops++) {
      // A process of its own each time, as far as the state goes.
      using next = newModel(100 + stops);
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), (stops - 1) * 15);
      result = await next.fit(data, { runFolder, resume: true, signal: stops < 6 ? stop.signal : undefined });
      clearTimeout(timer);
      if (result.aborted) continue;
      expect(stops, 'the test interrupts').toBeGreaterThan(1);
      expect(await weights(next)).toEqual(await weights(straight));
    }
    expect(figures(result)).toEqual(figures(whole));
    expect(result.evaluation).toEqual(whole.evaluation);
    expect(result.chosen).toEqual(whole.chosen);
    expect(rowsIn(runFolder).map((row) => row.epoch)).toEqual([1, 2, 3]);
    expect(readFileSync(path.join(runFolder, 'metrics.csv'), 'utf8').trim().split('\n')).toHaveLength(4);
  });

  it('that had ended is only reported again', async () => {
    const runFolder = newFolder();
    using model = newModel();
    const whole = await model.fit(data, { ...OPTIONS, runFolder });
    using again = newModel(4);
    const result = await again.fit(data, { runFolder, resume: true, onEpoch: () => expect.unreachable() });
    expect(await weights(again)).toEqual(await weights(model));
    expect(result.evaluation).toEqual(whole.evaluation);
    expect(result.rows).toEqual(whole.rows);
  });

  it('may have begun in a version that lacked an option', async () => {
    using straight = newModel();
    await straight.fit(data, OPTIONS);
    const runFolder = newFolder();
    using first = newModel();
    await first.fit(data, { ...OPTIONS, runFolder, signal: AbortSignal.abort() });
    const checkpoint = path.join(runFolder, 'last.safetensors');
    const file = await readModelFile(checkpoint);
    const { config } = file.metadata.training as unknown as { config: Record<string, unknown> };
    for (const option of ['balancedSampling', 'rareAugmentation']) delete config[option];
    await writeModelFile(checkpoint, file);
    using next = newModel(4);
    const result = await next.fit(data, { runFolder, resume: true });
    expect(result.config).toMatchObject({ balancedSampling: 0, rareAugmentation: 0 });
    expect(await weights(next)).toEqual(await weights(straight));
  });

  it('that was killed between its first checkpoint and its configuration ends with both', async () => {
    const runFolder = newFolder();
    using first = newModel();
    await first.fit(data, { ...OPTIONS, runFolder, signal: AbortSignal.abort() });
    const file = path.join(runFolder, 'config.json');
    const config = readFileSync(file, 'utf8');
    rmSync(file);
    using next = newModel();
    await next.fit(data, { runFolder, resume: true });
    expect(readFileSync(file, 'utf8')).toBe(config);
  });

  it('keeps no unfinished file behind', async () => {
    const runFolder = newFolder();
    using model = newModel();
    await model.fit(data, { ...OPTIONS, epochs: 1, runFolder, signal: AbortSignal.abort() });
    expect(readdirSync(runFolder).sort()).toEqual(['config.json', 'last.safetensors']);
  });
});

describe('a run folder', () => {
  it('is one process at a time: of two that start at once one trains, 20 times', async () => {
    const program = `
      import { createInterface } from 'node:readline';
      const { MiniXception, syntheticFaces } = await import(${JSON.stringify(path.resolve('dist/index.js'))});
      const all = syntheticFaces({ size: 16 });
      const data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, 100)])) };
      for await (const runFolder of createInterface({ input: process.stdin })) {
        const seed = process.pid;
        const model = MiniXception.create({ width: '4,4:8', inputSize: 16, seed, threads: 1 });
        await model.fit(data, { preset: 'quick', epochs: 2, seed, runFolder }).then(() => console.log('trained'), ({ code, message }) => console.log(code, message));
        model.dispose();
      }`;
    const children = [0, 1].map(() => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return { child, answer: async () => ((await lines.next()) as IteratorYieldResult<string>).value };
    });
    for (let round = 0; round < 20; round++) {
      const runFolder = newFolder();
      for (const { child } of children) child.stdin.write(`${runFolder}\n`);
      const answers = await Promise.all(children.map(({ answer }) => answer()));
      const winner = answers.indexOf('trained');
      expect(
        answers.filter((answer) => answer === 'trained'),
        answers.join('; '),
      ).toHaveLength(1);
      expect(answers[1 - winner]).toMatch(/^ERR_FER_CHECKPOINT .* is (in use by process \d+ of|not empty)/);
      // Everything in it is the winner's.
      const { pid } = children[winner].child;
      expect(JSON.parse(readFileSync(path.join(runFolder, 'config.json'), 'utf8'))).toMatchObject({ seed: pid });
      const { metadata } = await readModelFile(path.join(runFolder, 'last.safetensors'));
      expect(metadata.training).toMatchObject({ config: { seed: pid }, epoch: 2 });
      expect(rowsIn(runFolder)).toHaveLength(2);
      expect(readdirSync(runFolder)).not.toContain('lock');
    }
    for (const { child } of children) child.kill();
  });

  it('has a checkpoint from the first moment on, and begins anew where there is none', async () => {
    const runFolder = newFolder();
    mkdirSync(runFolder);
    // What a killed process of this version, and one of an earlier version, may leave.
    writeFileSync(path.join(runFolder, 'last.safetensors.99-01234567.tmp'), 'half');
    writeFileSync(path.join(runFolder, 'config.json'), '{}');
    using model = newModel();
    const initial = await weights(model);
    await model.fit(data, {
      ...OPTIONS,
      epochs: 1,
      runFolder,
      onEpoch: () => {
        copyFileSync(path.join(runFolder, 'lock'), path.join(folder, 'lock-of-the-run'));
        expect(readdirSync(runFolder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      },
    });
    expect(JSON.parse(readFileSync(path.join(folder, 'lock-of-the-run'), 'utf8'))).toMatchObject({ pid: process.pid });

    const killed = newFolder();
    using first = newModel();
    await first.fit(data, { ...OPTIONS, epochs: 1, runFolder: killed, signal: AbortSignal.abort() });
    const file = await readModelFile(path.join(killed, 'last.safetensors'));
    expect((file.metadata.training as unknown as { epoch: number }).epoch).toBe(0);
    expect([...file.tensors].filter(([name]) => !/^(moment|ema)/.test(name)).length).toBe((initial as unknown[]).length);
  });

  it('is given back by a run that fails', async () => {
    const runFolder = newFolder();
    using model = newModel();
    await expect(
      model.fit({ ...data, splits: new Map([['Training', new Uint32Array()]]) }, { ...OPTIONS, runFolder }),
    ).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
    expect(readdirSync(runFolder)).toEqual([]);
    await model.fit(data, { ...OPTIONS, epochs: 1, runFolder });
    await expect(model.fit(data, { ...OPTIONS, runFolder })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(/is not empty; resume the run in it/) as string,
    });
    expect(readdirSync(runFolder)).not.toContain('lock');
  });
});

describe('a checkpoint that cannot be resumed', () => {
  let good: string;
  beforeAll(async () => {
    good = newFolder();
    using model = newModel();
    await model.fit(data, { ...OPTIONS, epochs: 1, runFolder: good });
  });

  it.each([
    ['cut short', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['of another kind', (file: string) => writeFileSync(file, 'not a checkpoint')],
    ['a mere model', (file: string) => copyFileSync(path.join(good, 'model.safetensors'), file)],
    ['gone', (file: string) => rmSync(file)],
  ])('is named: %s', async (_, spoil) => {
    const runFolder = newFolder();
    using model = newModel();
    await model.fit(data, { ...OPTIONS, epochs: 1, runFolder, signal: AbortSignal.abort() });
    spoil(path.join(runFolder, 'last.safetensors'));
    const before = await weights(model);
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringContaining(runFolder) as string,
    });
    expect(await weights(model)).toEqual(before);
  });

  it.each([
    ['a folder that is not there', () => undefined, /cannot be resumed: there is no such folder/],
    ['a file', (at: string) => writeFileSync(at, ''), /cannot be resumed: it is no folder/],
    ['an empty folder', (at: string) => mkdirSync(at), /cannot be resumed: it is empty/],
    [
      'a folder of something else',
      (at: string) => {
        mkdirSync(at);
        writeFileSync(path.join(at, 'notes.txt'), '');
      },
      /cannot be resumed: it holds no run: there is no last\.safetensors in it/,
    ],
    [
      'a run that an earlier version was killed in before its first checkpoint',
      (at: string) => {
        mkdirSync(at);
        writeFileSync(path.join(at, 'config.json'), '{}');
      },
      /killed before the first checkpoint; begin it anew with the command that began it, or with --run-dir/,
    ],
  ])('is said to be what it is: %s', async (_, make, message) => {
    const runFolder = newFolder();
    make(runFolder);
    using model = newModel();
    await expect(model.fit(data, { runFolder, resume: true })).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(message) as string,
    });
    // Being asked left nothing behind.
    if (existsSync(runFolder) && statSync(runFolder).isDirectory()) expect(readdirSync(runFolder)).not.toContain('lock');
  });

  it('is refused without a folder', async () => {
    using model = newModel();
    await expect(model.fit(data, { resume: true })).rejects.toMatchObject({ code: 'ERR_FER_ARGUMENT' });
  });
});

describe('a run', () => {
  it("of preset paper reduces the rate by PyTorch's rule on the validation loss, and keeps the last epoch", async () => {
    using model = newModel();
    const options: FitOptions = { preset: 'paper', epochs: 8, learningRate: 0.05, plateauPatience: 0, plateauThreshold: 0.2 };
    const { rows, chosen, evaluation } = await model.fit(data, options);
    const plateau = new Plateau(0.05, { mode: 'min', factor: 0.1, patience: 0, threshold: 0.2, cooldown: 0, minLearningRate: 0 });
    for (const row of rows) {
      expect(row.learningRate).toBe(Math.fround(plateau.learningRate));
      plateau.step(row.validationLoss);
    }
    expect(rows[7].learningRate).toBeLessThan(0.05);
    expect(chosen).toEqual({ epoch: 8, accuracy: rows[7].validationAccuracy });
    expect((await model.evaluate(data, { split: 'PublicTest' })).accuracy).toBe(rows[7].validationAccuracy);
    expect(evaluation?.accuracy).toBe((await model.evaluate(data)).accuracy);
  });

  it('validates, chooses and keeps the averaged weights', async () => {
    const runFolder = newFolder();
    using model = newModel();
    const { rows, chosen } = await model.fit(data, { ...OPTIONS, epochs: 4, emaDecay: 0.9, runFolder });
    using best = await MiniXception.load(path.join(runFolder, 'best.safetensors'));
    for (const kept of [best, model]) {
      const metrics = await kept.evaluate(data, { split: 'PublicTest' });
      expect(metrics.accuracy).toBe(chosen.accuracy);
      expect(metrics.loss).toBe(rows[chosen.epoch - 1].validationLoss);
    }
  });

  it('that diverges ends with a typed error and loses no earlier epoch', async () => {
    const runFolder = newFolder();
    using model = newModel();
    // The warm-up's first epoch is harmless; its last ones are not.
    const options: FitOptions = {
      preset: 'paper',
      optimizer: 'sgd',
      schedule: 'constant',
      learningRate: 100,
      weightDecay: 10,
      warmupEpochs: 1e3,
      epochs: 900,
    };
    const attempt = model.fit(data, { ...options, runFolder });
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_FER_DIVERGED', message: expect.stringContaining(runFolder) as string });
    const rows = rowsIn(runFolder);
    expect(rows.length).toBeGreaterThan(0);
    using best = await MiniXception.load(path.join(runFolder, 'best.safetensors'));
    for (const [, tensor] of await best.tensors()) expect(tensor.data.every(Number.isFinite)).toBe(true);
    // Resuming meets the same end: the checkpoint is that of the last sound epoch.
    using again = newModel();
    await expect(again.fit(data, { runFolder, resume: true })).rejects.toMatchObject({ code: 'ERR_FER_DIVERGED' });
    expect(rowsIn(runFolder)).toEqual(rows);
  });

  it('names data it cannot learn from', async () => {
    const none = new Uint32Array();
    const some = data.splits.get('Training') as Uint32Array;
    using model = newModel();
    const fit = (splits: [string, Uint32Array][]): Promise<TrainingResult> =>
      model.fit({ ...data, splits: new Map(splits) }, { ...OPTIONS, epochs: 1 });
    await expect(
      fit([
        ['Training', none],
        ['PublicTest', some],
      ]),
    ).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
    await expect(
      fit([
        ['Training', some.subarray(0, 9)],
        ['PublicTest', none],
      ]),
    ).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
    await expect(model.fit({ ...data, classes: ['a', 'b'] }, OPTIONS)).rejects.toMatchObject({ code: 'ERR_FER_ARGUMENT' });
    // Empty splits are as good as none.
    const result = await fit([
      ['Training', some],
      ['PublicTest', none],
      ['PrivateTest', none],
    ]);
    expect(result.notes.join()).toContain('every tenth training image');
    expect(result.evaluation).toBeUndefined();
  });
});
