import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { hyperparametersExperiment } from '../../lib/experiments/index.js';
import { SMALL, TINY, tinyData } from './tiny.js';

const folder = mkdtempSync(path.join(tmpdir(), 'fer-precision-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('trains a grid point in its own precision, or says that the device does not have it', async () => {
  // The CPU has no tf32: a cell that trained all the same would have dropped the setting that it is recorded under.
  const grid = [{ name: 'tf32', config: { preset: 'paper' as const, width: SMALL, batchSize: 20, precision: 'tf32' as const } }];
  await expect(hyperparametersExperiment(tinyData(), { ...TINY, widths: undefined, grid, folder, devices: ['cpu'] })).rejects.toMatchObject(
    {
      code: 'ERR_FER_ARGUMENT',
      message: expect.stringContaining('precision') as string,
    },
  );
});
