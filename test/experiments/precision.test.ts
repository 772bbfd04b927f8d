import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { GridPoint } from '../../lib/experiments/hyperparameters/grid.js';
import { hyperparameters } from '../../lib/experiments/hyperparameters/hyperparameters.js';
import { hyperparametersExperiment } from '../../lib/experiments/index.js';
import { resolveOptions } from '../../lib/experiments/options.js';
import { width } from '../../lib/experiments/width.js';
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

it('is one for all cells, but for a grid point that has its own', () => {
  const point = (name: string, config: object): GridPoint => ({ name, config: { preset: 'paper', width: SMALL, ...config } });
  const options = resolveOptions({ precision: 'bf16', grid: [point('given', {}), point('own', { precision: 'fp32' })] });
  expect(width.cells(options).map(({ config }) => config.precision)).toEqual(['bf16', 'bf16']);
  expect(hyperparameters.cells(options).map(({ config }) => config.precision)).toEqual(['bf16', 'fp32']);
  expect(() => resolveOptions({ precision: 'half' as 'bf16' })).toThrow('expected fp32, tf32 or bf16');
});
