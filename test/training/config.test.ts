import { describe, expect, it } from 'vitest';
import { FerError } from '../../lib/errors.js';
import { OPTIONS, resolveConfig } from '../../lib/training/config.js';

describe('resolveConfig', () => {
  it('takes defaults, then the preset, then what is given', () => {
    const config = resolveConfig({ preset: 'paper', batchSize: 15 });
    expect(config).toMatchObject({
      preset: 'paper',
      batchSize: 15,
      learningRate: 0.01,
      epochs: 100,
      schedule: 'plateau',
      flip: 0,
      width: 'narrow',
    });
    expect(Object.keys(config).sort()).toEqual(Object.keys(OPTIONS).sort());
  });

  it.each([
    [{ learningrate: 1 }, /unknown option "learningrate"; did you mean "learningRate"\?/],
    [{ batchsise: 1 }, /did you mean "batchSize"\?/],
    [{ epochs: 0 }, /expected a whole number from 1 to 100000, got 0, for epochs/],
    [{ epochs: 1.5 }, /expected a whole number/],
    [{ batchSize: '40' }, /got "40", for batchSize/],
    [{ learningRate: NaN }, /expected a number from 0 to 100/],
    [{ optimizer: 'rmsprop' }, /expected sgd, adam or adamw, got "rmsprop", for optimizer/],
    [{ nesterov: 1 }, /expected true or false, got 1, for nesterov/],
    [{ width: 'huge' }, /expected narrow, wide or .* got "huge", for width/],
    [{ preset: 'best' }, /expected quick, clean or paper, got "best", for preset/],
  ])('refuses %j', (given, message) => {
    const attempt = (): unknown => resolveConfig(given);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(FerError);
    try {
      attempt();
    } catch (error) {
      expect((error as FerError).code).toBe('ERR_FER_CONFIG');
    }
  });
});
