import { describe, expect, it } from 'vitest';
import { FerError } from '../../lib/errors.js';
import { networkOptions, resolveConfig } from '../../lib/training/config.js';
import { OPTIONS } from '../../lib/training/options.js';
import { PRESETS } from '../../lib/training/presets.js';

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
    [{ constructor: 1 }, /unknown option "constructor"/],
    [{ beta1: 1 }, /expected a number from 0 to 0.999999, got 1, for beta1/],
    [{ epochs: null }, /got null, for epochs/],
    [{ width: '8,8:0' }, /got "8,8:0", for width/],
    [{ learningRate: 0.01, minLearningRate: 0.1 }, /expected at most the learning rate \(0.01\), got 0.1, for minLearningRate/],
    [{ preset: 'best' }, /expected quick, clean, robust or paper, got "best", for preset/],
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

  it.each(Object.entries(OPTIONS).flatMap(([key, option]) => ('min' in option ? [{ key, ...option }] : [])))(
    'takes $key from $min to $max and nothing beyond',
    ({ key, kind, min, max }) => {
      // Room on both sides of every option: the learning rate bounds its own floor.
      const around = key === 'learningRate' ? {} : { learningRate: 100 };
      for (const value of [min, max]) expect(resolveConfig({ ...around, [key]: value })).toMatchObject({ [key]: value });
      for (const value of [min - 1, max + 1, -Infinity, Infinity, NaN, String(min), true, [min]])
        expect(() => resolveConfig({ ...around, [key]: value }), String(value)).toThrow(`for ${key}`);
      if (kind === 'integer') expect(() => resolveConfig({ [key]: min + 0.5 })).toThrow('a whole number');
    },
  );

  it.each(Object.keys(PRESETS))('is unchanged by resolving twice, and survives JSON: %s', (preset) => {
    const config = resolveConfig({ preset });
    expect(config).toMatchObject(PRESETS[preset as 'quick'].options);
    expect(resolveConfig(JSON.parse(JSON.stringify(config)) as Record<string, unknown>)).toEqual(config);
  });

  it('takes undefined for "not given", and a custom width by any spelling', () => {
    expect(resolveConfig({ preset: 'paper', epochs: undefined }).epochs).toBe(100);
    expect(resolveConfig({ width: '32,64:128,256,512,1024' }).width).toBe('wide');
    expect(resolveConfig({ width: '4,8:16' }).width).toBe('4,8:16');
  });

  it('gives the network of a configuration: its width, size, seed and precision', () => {
    const config = resolveConfig({ preset: 'paper', width: '4,8:16', inputSize: 24, seed: 3, precision: 'bf16' });
    expect(networkOptions(config, { classes: ['a', 'b'], threads: 1 })).toEqual({
      width: { stem: [4, 8], modules: [16] },
      inputSize: 24,
      seed: 3,
      precision: 'bf16',
      classes: ['a', 'b'],
      threads: 1,
    });
  });
});
