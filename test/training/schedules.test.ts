import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/training/config.js';
import { makeSchedule, oneCycle, Plateau } from '../../lib/training/schedules.js';

interface Reference {
  plateau: {
    options: { mode: 'min' | 'max'; factor: number; patience: number; threshold: number; cooldown: number; min_lr: number };
    values: number[];
    rates: number[];
  }[];
  oneCycle: { total: number; peak: number; rates: number[] }[];
  cosine: { total: number; peak: number; floor: number; rates: number[] }[];
}

const reference = JSON.parse(readFileSync(new URL('../fixtures/schedules.json', import.meta.url), 'utf8')) as Reference;

describe('schedules', () => {
  it.each(reference.plateau)("reduce on plateau as PyTorch's ReduceLROnPlateau: $options", ({ options, values, rates }) => {
    let plateau = new Plateau(0.01, { ...options, minLearningRate: options.min_lr });
    values.forEach((value, i) => {
      plateau.step(value);
      expect(plateau.learningRate).toBeCloseTo(rates[i], 14);
      // A restored copy goes on the same way.
      const copy = new Plateau(0.01, { ...options, minLearningRate: options.min_lr });
      copy.restore(JSON.parse(JSON.stringify(plateau.state())) as Record<string, number>);
      plateau = copy;
    });
  });

  it.each(reference.oneCycle)("follow one cycle as PyTorch's OneCycleLR, $total steps", ({ total, peak, rates }) => {
    rates.forEach((rate, step) => expect(oneCycle(step, total, peak)).toBeCloseTo(rate, 12));
  });

  it.each(reference.cosine)("follow a cosine as PyTorch's CosineAnnealingLR, $total steps", ({ total, peak, floor, rates }) => {
    const epochs = 4;
    const schedule = makeSchedule(resolveConfig({ schedule: 'cosine', epochs, learningRate: peak, minLearningRate: floor }));
    const steps = total / epochs;
    const ours = Array.from({ length: epochs }, (_, epoch) => [...schedule.learningRates(epoch, steps)]).flat();
    expect(ours).toHaveLength(total);
    ours.forEach((rate, i) => expect(Math.abs(rate / rates[i] - 1)).toBeLessThan(1e-6));
  });

  it('hold a constant, and reduce on the plateau of the figure that is asked for', () => {
    const constant = makeSchedule(resolveConfig({ schedule: 'constant', learningRate: 0.5 }));
    expect([...constant.learningRates(7, 3)]).toEqual([0.5, 0.5, 0.5]);
    const common = { schedule: 'plateau', learningRate: 0.5, plateauFactor: 0.5, plateauPatience: 1 } as const;
    const rateAfter = (plateauMetric: 'loss' | 'accuracy'): number => {
      const schedule = makeSchedule(resolveConfig({ ...common, plateauMetric }));
      // The loss rises, which is bad; the accuracy rises, which is good.
      for (let i = 1; i <= 3; i++) schedule.epochEnded({ loss: i, accuracy: i / 10 });
      return schedule.learningRates(3, 1)[0];
    };
    expect(rateAfter('loss')).toBe(0.25);
    expect(rateAfter('accuracy')).toBe(0.5);
  });

  it('give one rate a step, warm up linearly and end a cosine at its floor', () => {
    const config = resolveConfig({
      preset: 'paper',
      schedule: 'cosine',
      epochs: 4,
      warmupEpochs: 1,
      learningRate: 1,
      minLearningRate: 0.1,
    });
    const schedule = makeSchedule(config);
    const first = schedule.learningRates(0, 10);
    expect(first).toHaveLength(10);
    for (let i = 1; i < 10; i++) expect(first[i] - first[i - 1]).toBeCloseTo(1 / 11, 5);
    expect(schedule.learningRates(1, 10)[0]).toBeCloseTo(1, 6);
    expect(schedule.learningRates(3, 10)[9]).toBeLessThan(0.11);
  });
});
