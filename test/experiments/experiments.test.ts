import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditDataSet } from '../../lib/data/audit.js';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { FerError } from '../../lib/errors.js';
import {
  allExperiments,
  dataExperiment,
  hyperparametersExperiment,
  robustnessExperiment,
  widthExperiment,
} from '../../lib/experiments/index.js';
import { measureRobustness } from '../../lib/experiments/robustness/measure.js';
import { collectExperiments } from '../../lib/experiments/run/collect.js';
import { runExperiments, type RunOptions } from '../../lib/experiments/run/run.js';
import type { ExperimentProgress } from '../../lib/experiments/run/work.js';
import { width } from '../../lib/experiments/width.js';
import { Lock } from '../../lib/lock.js';
import { wilsonInterval } from '../../lib/metrics/index.js';
import { MiniXception } from '../../lib/model.js';
import type { ExperimentResult } from '../../lib/report/result.js';
import { resolveConfig } from '../../lib/training/config.js';
import { LARGER, SIZE, SMALL, timeless, TINY, tinyData } from './tiny.js';

let folder: string;
let data: LabelledImages;
let model: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-experiments-'));
  data = tinyData();
  using trained = MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: SIZE, seed: 1, threads: 1 });
  await trained.fit(data, { preset: 'quick', epochs: 12, batchSize: 20 });
  model = path.join(folder, 'tiny.safetensors');
  await trained.save(model);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const newFolder = (): string => path.join(folder, `experiment${made++}`);
const tiny = (extra: Partial<RunOptions> = {}): RunOptions => ({ ...TINY, folder: newFolder(), ...extra });
const tableOf = (result: ExperimentResult, id: string) => result.tables.find((table) => table.id === id)!;

describe('experiment width', () => {
  it('gives what training by hand gives', async () => {
    const { results, aborted } = await widthExperiment(data, tiny({ presets: ['paper', 'quick'] }));
    expect(aborted).toBe(false);
    const rows = tableOf(results[0], 'width').rows;
    expect(rows.map((row) => [row.width, row.preset])).toEqual([
      [SMALL, 'paper'],
      [LARGER, 'paper'],
      [SMALL, 'quick'],
      [LARGER, 'quick'],
    ]);
    for (const row of rows) {
      using byHand = MiniXception.create({ width: row.width as 'narrow', inputSize: SIZE, seed: 0, threads: 1 });
      const { evaluation } = await byHand.fit(data, { preset: row.preset as 'paper', epochs: 3 });
      expect(row).toMatchObject({
        accuracy: evaluation!.accuracy,
        interval: wilsonInterval(Math.round(evaluation!.accuracy * 140), 140),
        macroPrecision: evaluation!.macroPrecision,
        macroRecall: evaluation!.macroRecall,
        n: 140,
        epochs: 3,
        parameters: byHand.parameterCount,
        multiplyAdds: byHand.multiplyAdds,
      });
      expect(row.secondsAnEpoch).toBeGreaterThan(0);
      // Weights, gradients and momentum at least.
      expect(row.memoryBytes).toBeGreaterThan(byHand.parameterCount * 12);
    }
    expect(results[0].statements.join()).toContain('3 of 100 epochs, nothing extrapolated');
    expect(results[0].missing).toEqual([]);
  });

  it('puts means over seeds with their spread beside each seed', async () => {
    const { results } = await widthExperiment(data, tiny({ widths: [SMALL], seeds: [3, 4, 5], epochs: { all: 2 } }));
    const accuracies = tableOf(results[0], 'width').rows.map((row) => row.accuracy as number);
    const mean = (accuracies[0] + accuracies[1] + accuracies[2]) / 3;
    const [row] = tableOf(results[0], 'width-seeds').rows;
    expect(row.accuracy).toBeCloseTo(mean, 12);
    expect(row.deviation).toBeCloseTo(Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2), 12);
    expect(row.each).toBe(accuracies.map((value) => (value * 100).toFixed(1)).join(', '));
    expect(results[0].seeds).toEqual([3, 4, 5]);
  });

  it('runs each width for its own number of epochs', async () => {
    const { results } = await widthExperiment(data, tiny({ epochs: { '4-4_8-8': 2, all: 1 } }));
    expect(tableOf(results[0], 'width').rows.map((row) => row.epochs)).toEqual([2, 1]);
    await expect(widthExperiment(data, tiny({ epochs: { '4-4_8-9': 2 } }))).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
      message: expect.stringContaining('nearest: 4-4_8-8') as string,
    });
  });

  it('on two devices at a time gives the same', async () => {
    const one = await widthExperiment(data, tiny({ seeds: [0, 1] }));
    const seen: ExperimentProgress[] = [];
    const two = await widthExperiment(data, tiny({ seeds: [0, 1], devices: ['cpu', 'cpu'], onProgress: (now) => seen.push(now) }));
    expect(timeless(two.results)).toEqual(timeless(one.results));
    expect(seen.at(-1)).toMatchObject({ done: 4, total: 4, secondsLeft: 0 });
    expect(seen.some(({ secondsLeft }) => secondsLeft > 0)).toBe(true);
  });
});

describe('experiment hyperparameters', () => {
  const point = (name: string, extra: object) => ({
    name,
    config: { preset: 'paper' as const, width: SMALL, batchSize: 20, epochs: 2, ...extra },
  });

  it('tells a setting that diverges, and goes on with the others', async () => {
    const grid = [point('wild', { learningRate: 100, momentum: 0.99 }), point('calm', {})];
    const { results } = await hyperparametersExperiment(data, tiny({ grid, epochs: {} }));
    const [wild, calm] = tableOf(results[0], 'hyperparameters').rows;
    expect(wild).toMatchObject({ setting: 'wild', accuracy: null, learningRate: 100 });
    expect(calm.accuracy).toBeGreaterThan(0);
    expect(results[0].statements.join()).toMatch(/Diverged: .* in epoch 1\./);
  });

  it('compares with the paper only what is the setting of the paper', async () => {
    const c1 = { name: 'C1', config: { preset: 'paper' as const, width: 'wide', batchSize: 40, learningRate: 0.01, epochs: 100 } };
    const named = await hyperparametersExperiment(data, tiny({ grid: [point('C1', {})], epochs: { all: 1 } }));
    expect(named.results[0].comparisons).toEqual([]);
    const few: LabelledImages = { ...data, splits: new Map([...data.splits].map(([name, rows]) => [name, rows.subarray(0, 40)])) };
    const real = await hyperparametersExperiment(few, tiny({ grid: [c1], epochs: { C1: 1 }, inputSize: 16 }));
    expect(real.results[0].comparisons).toMatchObject([
      { place: 'Table 2', paper: { value: 0.536, n: 3589 }, ours: { n: 40 }, why: expect.stringContaining('synthetic') as string },
    ]);
  });
});

describe('experiment data', () => {
  it('gives the counts of the audit', async () => {
    const { results } = await dataExperiment(data, tiny());
    const audit = await auditDataSet(data);
    for (const row of tableOf(results[0], 'class-distribution').rows.slice(0, -1))
      for (const split of data.splits.keys()) expect(row[split]).toBe(audit.counts[split][row.class as string]);
  });
});

describe('experiment robustness', () => {
  it('gives what the measurement gives, for each model', async () => {
    const { results } = await robustnessExperiment(data, tiny({ models: [model], draws: 20, images: 'synthetic' }));
    using loaded = await MiniXception.load(model, { threads: 1 });
    const measured = await measureRobustness(loaded, data, { draws: 20 });
    for (const kind of ['rotation', 'brightness']) {
      const points = measured.series.find(({ id }) => id === `paper-${kind}`)!.points;
      expect(tableOf(results[0], kind).rows.map((row) => [row.protocol, row.kept, row.accuracy, row.drawsMean])).toEqual(
        points.map(({ protocol, kept, accuracy, draws }) => [protocol.share, kept.pooled.share, accuracy.share, draws.mean]),
      );
    }
    const severe = measured.series.filter(({ axis }) => axis === 'severity');
    expect(tableOf(results[0], 'severities').rows.map((row) => row.severity5)).toEqual(
      severe.map(({ points }) => points[4].accuracy.share),
    );
    expect(results[0].comparisons).toHaveLength(19);
    expect(results[0].comparisons[0]).toMatchObject({ place: 'Table 3', paper: { value: 0.952, n: 21 } });
    expect(results[0].pictures.map(({ png }) => Buffer.from(png, 'base64').toString('latin1', 1, 4))).toEqual(['PNG', 'PNG']);
  });
});

describe('a run that stops', () => {
  const options = (): RunOptions =>
    tiny({
      widths: [SMALL],
      seeds: [0, 1],
      models: [model],
      draws: 5,
      images: 'synthetic',
      grid: [{ name: 'A', config: { width: LARGER } }],
    });

  it('at any time goes on to the result of an unbroken one', async () => {
    const whole = await allExperiments(data, options());
    const broken = options();
    let stops = 0;
    for (let outcome = { aborted: true }; outcome.aborted; stops++) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), stops < 7 ? 30 + stops * 60 : 600_000);
      outcome = await allExperiments(data, { ...broken, signal: stop.signal });
      clearTimeout(timer);
    }
    expect(stops, 'the test interrupts').toBeGreaterThan(3);
    expect(timeless((await collectExperiments(broken.folder)).results)).toEqual(timeless(whole.results));
  });

  it('leaves finished cells alone', async () => {
    const first = options();
    await runExperiments(['width'], data, first);
    const ran: string[] = [];
    await runExperiments(['width'], data, { ...first, onCell: (id) => ran.push(id) });
    expect(ran).toEqual([]);
    rmSync(path.join(first.folder, 'cells/width/4-4_8-8-paper-1.json'));
    expect((await collectExperiments(first.folder)).missing).toEqual(['width/4-4_8-8-paper-1']);
    await runExperiments(['width'], data, { ...first, onCell: (id) => ran.push(id) });
    expect(ran).toEqual(['width/4-4_8-8-paper-1']);
  });
});

describe('a folder', () => {
  it('leaves a cell alone that another process runs', async () => {
    const first = tiny({ widths: [SMALL], epochs: { all: 1 } });
    const file = path.join(first.folder, 'cells/data/audit.lock');
    mkdirSync(path.dirname(file), { recursive: true });
    const lock = (await Lock.take(file)) as Lock;
    const warned = new Promise<Error>((done) => process.once('warning', done));
    expect(await dataExperiment(data, first)).toMatchObject({ aborted: false, results: [], missing: ['data/audit'] });
    expect((await warned).message).toMatch(`left to another process: data/audit is in use by this process ${process.pid}`);
    await lock.release();
    expect(await dataExperiment(data, first)).toMatchObject({ aborted: false, missing: [] });
    expect(readdirSync(path.join(first.folder, 'cells/data'))).toEqual(['audit.json']);
  });

  it('is begun by one of two that plan differently at once', async () => {
    const first = tiny({ widths: [SMALL], epochs: { all: 1 } });
    const outcomes = await Promise.allSettled([first, { ...first, seeds: [7] }].map((options) => dataExperiment(data, options)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ERR_FER_CHECKPOINT', message: expect.stringMatching(/with other options \(seeds\)/) as string },
    });
    expect(readdirSync(first.folder).sort()).toEqual(['cells', 'experiment.json']);
  });

  it('is refused with other options, on other data, or damaged', async () => {
    const first = tiny({ widths: [SMALL], epochs: { all: 1 } });
    await widthExperiment(data, first);
    const refusal = (what: RegExp) => ({ code: 'ERR_FER_CHECKPOINT', message: expect.stringMatching(what) as string });
    await expect(widthExperiment(data, { ...first, seeds: [7] })).rejects.toMatchObject(refusal(/other options \(seeds\)/));
    await expect(dataExperiment(data, first)).rejects.toMatchObject(refusal(/holds the experiment width/));
    const other: LabelledImages = {
      ...data,
      splits: new Map([...data.splits, ['PrivateTest', data.splits.get('PrivateTest')!.subarray(1)]]),
    };
    await expect(widthExperiment(other, first)).rejects.toMatchObject(refusal(/was begun on/));
    const cell = path.join(
      first.folder,
      'cells/width',
      readdirSync(path.join(first.folder, 'cells/width')).find((name) => name.endsWith('.json'))!,
    );
    writeFileSync(cell, readFileSync(cell, 'utf8').slice(0, 100));
    await expect(widthExperiment(data, first)).rejects.toMatchObject(refusal(/is damaged: it is not JSON; delete it/));
    await expect(collectExperiments(newFolder())).rejects.toMatchObject(refusal(/holds no experiment/));
  });
});

describe('one training', () => {
  it('answers every cell of its configuration, before and after a stop', async () => {
    const options = tiny({
      widths: [SMALL],
      grid: [
        { name: 'same', config: { preset: 'paper', width: SMALL } },
        { name: 'other', config: { width: SMALL, batchSize: 20 } },
      ],
    });
    const cells = new Map<string, number>();
    const run = () => runExperiments(['width', 'hyperparameters'], data, { ...options, onCell: (id, seconds) => cells.set(id, seconds) });
    const { results } = await run();
    expect(cells.get('hyperparameters/same-0')).toBe(0);
    expect(cells.get('hyperparameters/other-0')).toBeGreaterThan(0);
    const [same, other] = tableOf(results[1], 'hyperparameters').rows;
    expect(same.accuracy).toBe(tableOf(results[0], 'width').rows[0].accuracy);
    expect(other.secondsAnEpoch).not.toBe(same.secondsAnEpoch);
    rmSync(path.join(options.folder, 'cells/width/4-4_8-8-paper-0.json'));
    cells.clear();
    await run();
    expect([...cells]).toEqual([['width/4-4_8-8-paper-0', 0]]);
  });
});

describe('a cell that fails', () => {
  // Where memory ends is the machine's: the second training that begins beside another is told so, once.
  it('for want of memory beside another on its device waits for that one', async () => {
    const { runCell } = width;
    let running = 0;
    let refused = 0;
    const spy = vi.spyOn(width, 'runCell').mockImplementation(async (cell, context) => {
      if (running > 0 && refused++ === 0) throw new FerError('ERR_FER_OUT_OF_MEMORY', 'no room');
      running++;
      return runCell(cell, context).finally(() => running--);
    });
    const heard = once(process, 'warning');
    const together = await widthExperiment(data, tiny({ seeds: [0, 1], devices: ['cpu', 'cpu'] })).finally(() => spy.mockRestore());
    expect(refused).toBe(1);
    expect(String((await heard)[0])).toMatch(/cpu has no room for width\/\S+ beside the cells that it works on/);
    expect(timeless(together.results)).toEqual(timeless((await widthExperiment(data, tiny({ seeds: [0, 1] }))).results));
  });

  it('stops the others where they can go on, and is told', async () => {
    const options = tiny({ epochs: { '4-4_8-8': 1, '4-8_8-16': 10_000 }, devices: ['cpu', 'cpu'] });
    const cells = path.join(options.folder, 'cells/width');
    mkdirSync(cells, { recursive: true });
    writeFileSync(path.join(cells, '4-4_8-8-paper-0'), 'a file where the folder should be');
    await expect(widthExperiment(data, options)).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) as string });
    expect(readdirSync(path.join(cells, '4-8_8-16-paper-0/run'))).toContain('last.safetensors');
  });
});

describe('a finished training run', () => {
  let run: string;
  beforeAll(async () => {
    run = path.join(folder, 'finished');
    using trained = MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: SIZE, seed: 0, threads: 1 });
    await trained.fit(data, { preset: 'paper', epochs: 3, runFolder: run });
  });

  it('stands for the cell of its configuration, and is named', async () => {
    const trained = await widthExperiment(data, tiny());
    const cells: string[] = [];
    const adopted = await widthExperiment(data, tiny({ reuse: [run], onCell: (id, seconds) => seconds === 0 && cells.push(id) }));
    expect(cells).toEqual(['width/4-4_8-8-paper-0']);
    const withoutPlace = (results: ExperimentResult[]) => {
      const [{ statements: _s, ...result }] = timeless(results) as ExperimentResult[];
      return result;
    };
    expect(withoutPlace(adopted.results)).toEqual(withoutPlace(trained.results));
    expect(adopted.results[0].statements.join()).toContain('taken over from the finished run finished');
  });

  it('of another configuration, unfinished or on other data is refused with the reason', async () => {
    const refused = (extra: Partial<RunOptions>, on = data) => expect(widthExperiment(on, tiny({ reuse: [run], ...extra }))).rejects;
    await refused({ epochs: { all: 4 } }).toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(/no cell; the closest, .*, differs in epochs \(3, not 4\)/) as string,
    });
    const other: LabelledImages = {
      ...data,
      splits: new Map([...data.splits, ['PrivateTest', data.splits.get('PrivateTest')!.subarray(1)]]),
    };
    await refused({}, other).toMatchObject({ message: expect.stringContaining('evaluated on 140 images; PrivateTest') as string });
    await refused({ reuse: [folder] }).toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringContaining('holds no training run') as string,
    });
    rmSync(path.join(run, 'evaluation.json'));
    await refused({}).toMatchObject({ message: expect.stringContaining('not a finished training run') as string });
  });

  it('is read with the defaults of options that are younger than it', () => {
    const { fill: _fill, ...old } = resolveConfig({ preset: 'paper' });
    expect(resolveConfig(old)).toEqual(resolveConfig({ preset: 'paper' }));
  });
});
