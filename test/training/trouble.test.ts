/** What goes wrong around a training ends it, and costs nothing that was done. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { readModelFile } from '../../lib/network/model-file.js';
import type { FitOptions } from '../../lib/training/fit.js';
import type { Progress } from '../../lib/training/progress.js';

let folder: string;
let data: LabelledImages;
let unbroken: unknown;
const OPTIONS: FitOptions = { preset: 'quick', epochs: 2, batchSize: 5, seed: 4 };
const newModel = (): MiniXception => MiniXception.create({ width: { stem: [32, 32], modules: [64] }, inputSize: 32, seed: 4, threads: 1 });
const weights = async (model: MiniXception): Promise<unknown> => [...(await model.tensors())].map(([name, { data }]) => [name, [...data]]);
let runs = 0;
const newFolder = (): string => path.join(folder, `run${runs++}`);
const progressIn = async (runFolder: string): Promise<Progress> =>
  (await readModelFile(path.join(runFolder, 'last.safetensors'))).metadata.training as unknown as Progress;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-trouble-'));
  const all = syntheticFaces({ size: 32 });
  data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, name === 'Training' ? 600 : 50)])) };
  using model = newModel();
  await model.fit(data, OPTIONS);
  unbroken = await weights(model);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function resumed(runFolder: string): Promise<unknown> {
  using model = newModel();
  await model.fit(data, { runFolder, resume: true });
  return weights(model);
}

describe('an exception', () => {
  it('in onProgress ends the run with that very error, within the epoch, its state saved', async () => {
    const runFolder = newFolder();
    const error = new Error('of the listener');
    let calls = 0;
    const onProgress = (): void => {
      calls++;
      throw error;
    };
    using model = newModel();
    await expect(model.fit(data, { ...OPTIONS, runFolder, onProgress })).rejects.toBe(error);
    expect(calls).toBe(1);
    const { totals } = await progressIn(runFolder);
    expect(totals.step).toBeGreaterThan(0);
    expect(totals.step).toBeLessThan(120);
    expect(readdirSync(runFolder).sort()).toEqual(['config.json', 'last.safetensors']);
    expect(await resumed(runFolder)).toEqual(unbroken);
  });

  it('in onProgress ends a run without a folder, too', async () => {
    using model = newModel();
    const onProgress = (): never => {
      throw new RangeError('x');
    };
    await expect(model.fit(data, { ...OPTIONS, onProgress })).rejects.toThrow(RangeError);
  });

  it('in onEpoch ends the run with that very error, after the epoch', async () => {
    const runFolder = newFolder();
    const error = new Error('of the listener');
    const onEpoch = (): never => {
      throw error;
    };
    using model = newModel();
    await expect(model.fit(data, { ...OPTIONS, runFolder, onEpoch })).rejects.toBe(error);
    expect(await progressIn(runFolder)).toMatchObject({ epoch: 1, totals: { step: 0 } });
    expect(await resumed(runFolder)).toEqual(unbroken);
  });
});

it('a checkpoint that cannot be written ends the run with the reason; the last whole one stays, and goes on', async () => {
  const runFolder = newFolder();
  const limit = (bytes: string): unknown => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  using model = newModel();
  try {
    // Room for a configuration and the metrics, not for a checkpoint.
    const onEpoch = (): unknown => limit('10000');
    await expect(model.fit(data, { ...OPTIONS, runFolder, onEpoch })).rejects.toMatchObject({
      code: 'ERR_FER_WRITE',
      message: expect.stringMatching(
        /(best|last)\.safetensors cannot be written: the file would be larger than is allowed \(EFBIG\)/,
      ) as string,
    });
  } finally {
    limit('unlimited');
  }
  expect(await progressIn(runFolder)).toMatchObject({ epoch: 1 });

  expect(readdirSync(runFolder).filter((name) => name === 'lock' || name.endsWith('.tmp'))).toEqual([]);
  expect(await resumed(runFolder)).toEqual(unbroken);
  expect(readFileSync(path.join(runFolder, 'metrics.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2);
});
