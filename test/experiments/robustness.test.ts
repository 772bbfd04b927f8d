import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { measureRobustness, type RobustnessMeasurement } from '../../lib/experiments/robustness/measure.js';
import { PAPER_SERIES, SEVERITY_SERIES } from '../../lib/experiments/robustness/series.js';
import { wilsonInterval } from '../../lib/metrics/index.js';
import { MiniXception } from '../../lib/model.js';
import { perturb, PERTURBATION_TYPES } from '../../lib/perturb/index.js';

const data = syntheticFaces({ size: 32 });
const rows = data.splits.get('PublicTest') as Uint32Array;
const faceOf = (row: number) => ({ pixels: data.images.slice(row * 1024, (row + 1) * 1024), width: 32, height: 32 });
let model: MiniXception;
let measured: RobustnessMeasurement;

beforeAll(async () => {
  model = MiniXception.create({ width: { stem: [4, 8], modules: [8, 16] }, inputSize: 32, threads: 2 });
  await model.fit(data, { epochs: 4, batchSize: 32 });
  measured = await measureRobustness(model, data, { series: [...PAPER_SERIES, SEVERITY_SERIES.find(({ id }) => id === 'noise')!] });
});

const point = (series: string, value: number) => measured.series.find(({ id }) => id === series)!.points.find((p) => p.value === value)!;

describe('measureRobustness', () => {
  it("has the paper's settings and figures, and severities", () => {
    expect(PAPER_SERIES.map(({ settings }) => settings.map(({ value }) => value))).toEqual([
      [1, 4, 8, 10, 15, 30, 45],
      [0.3, 0.5, 0.7, 0.9, 1.1, 1.2, 1.3, 1.4, 1.5, 1.8, 2, 2.5],
    ]);
    // The paper prints k / 21 truncated to a tenth of a percent.
    for (const { settings } of PAPER_SERIES)
      for (const { paper } of settings) expect(Math.abs((paper?.share as number) - (paper?.k as number) / 21)).toBeLessThanOrEqual(0.00101);
    expect(SEVERITY_SERIES.map(({ type }) => type)).toEqual(PERTURBATION_TYPES);
    expect(SEVERITY_SERIES.every(({ settings }) => settings.length === 5)).toBe(true);
  });

  it('agrees with perturbing and predicting image by image', async () => {
    const evaluated = await model.evaluate(data, { split: 'PublicTest' });
    expect(measured.clean.n).toBe(350);
    expect(measured.clean.share).toBeCloseTo(evaluated.accuracy, 12);
    expect(measured.clean.share).toBeGreaterThan(0.5); // or the rest would say little
    const { perturbation, accuracy, kept, protocol } = point('paper-rotation', 30);
    const right = async (row: number, turned: boolean): Promise<boolean> => {
      const face = turned ? await perturb(faceOf(row), perturbation) : faceOf(row);
      return (await model.predict(face)).index === data.labels[row];
    };
    const before = await Promise.all(Array.from(rows, (row) => right(row, false)));
    const after = await Promise.all(Array.from(rows, (row) => right(row, true)));
    expect(accuracy.k).toBe(after.filter(Boolean).length);
    expect(accuracy.interval).toEqual(wilsonInterval(accuracy.k, 350));
    expect(kept.pooled).toMatchObject({ k: after.filter((is, i) => is && before[i]).length, n: before.filter(Boolean).length });
    const byClass = data.classes.map((_, label) => {
      const of = [...rows.keys()].filter((i) => data.labels[rows[i]] === label && before[i]);
      return of.filter((i) => after[i]).length / of.length;
    });
    expect(kept.classMean).toBeCloseTo(byClass.reduce((a, b) => a + b, 0) / 7, 12);
    const drawn = measured.protocolRows.map((row) => rows.indexOf(row));
    expect(protocol.k).toBe(drawn.filter((i) => after[i]).length);
  });

  it('takes three images a class that were right', async () => {
    expect(measured.protocolRows.length).toBe(21);
    expect(new Set(measured.protocolRows).size).toBe(21);
    expect(measured.protocolRows.map((row) => data.labels[row])).toEqual([0, 1, 2, 3, 4, 5, 6].flatMap((c) => [c, c, c]));
    const predictions = await model.predict(measured.protocolRows.map(faceOf));
    expect(predictions.map(({ index }) => index)).toEqual(measured.protocolRows.map((row) => data.labels[row]));
    const one = point('paper-rotation', 1);
    expect(one.protocol.n).toBe(21);
  });

  it('repeats the protocol around the class mean, within bounds that hold 95 % of the draws', () => {
    for (const { points } of measured.series)
      for (const { draws, kept } of points) {
        // A thousand means of 21: at most 0.5 / sqrt(21000) a standard error, five of them.
        expect(Math.abs(draws.mean - kept.classMean)).toBeLessThan(0.018);
        expect(draws.low).toBeLessThanOrEqual(draws.mean);
        expect(draws.high).toBeGreaterThanOrEqual(draws.mean);
      }
  });

  it('is a function of the seed', async () => {
    const options = { series: [SEVERITY_SERIES.find(({ id }) => id === 'noise')!], draws: 5 };
    const timeless = (m: RobustnessMeasurement): RobustnessMeasurement => ({ ...m, seconds: 0, cpuSeconds: 0 });
    const [a, b, c] = [
      await measureRobustness(model, data, options),
      await measureRobustness(model, data, { ...options, threads: 1 }),
      await measureRobustness(model, data, { ...options, seed: 1 }),
    ];
    expect(timeless(a)).toEqual(timeless(b));
    expect(a.protocolRows).not.toEqual(c.protocolRows);
  });

  it('reports progress, stops when asked, and leaves the event loop free', async () => {
    const seen: string[] = [];
    const control = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await expect(
      measureRobustness(model, data, {
        series: PAPER_SERIES,
        signal: control.signal,
        onProgress: ({ done, settings, label }) => {
          seen.push(`${done}/${settings} ${label}`);
          if (done === 3) control.abort(new Error('enough'));
        },
      }),
    ).rejects.toThrow('enough');
    clearInterval(timer);
    expect(seen).toEqual(['1/19 1°', '2/19 4°', '3/19 8°']);
    expect(ticks).toBeGreaterThan(0);
  });

  it('refuses what it cannot measure', async () => {
    await expect(measureRobustness(model, data, { split: 'Third' })).rejects.toThrow(/PublicTest, PrivateTest, got "Third", for split/);
    await expect(measureRobustness(model, data, { draws: 0 })).rejects.toThrow(/expected a whole number from 1, got 0, for draws/);
    await expect(measureRobustness(model, { ...data, classes: ['a'] })).rejects.toThrow(/the model's classes/);
  });
});
