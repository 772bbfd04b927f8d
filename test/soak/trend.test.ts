import { describe, expect, it } from 'vitest';
import { generator } from '../../lib/random.js';
import { trend } from './trend.mjs';

/** Two hours of samples of 200 MiB that grow by `slope` an hour, with a heap's saw teeth of 40 MiB and noise of 10. */
function memory(slope: number, seed: number): [hours: number, value: number][] {
  const random = generator(seed);
  return Array.from({ length: 1440 }, (_, i) => {
    const hours = i / 720;
    return [hours, 200 + slope * hours + 40 * ((i % 97) / 97) + 10 * random()];
  });
}

describe('the trend of the soak', () => {
  it('has the slope within its interval in about 95 of 100 series', () => {
    const covered = Array.from({ length: 200 }, (_, seed) => trend(memory(12, seed))!).filter(({ low, high }) => low <= 12 && 12 <= high);
    expect(covered.length).toBeGreaterThan(170);
  });

  it('finds a leak of 8 MiB an hour, and none where there is none', () => {
    for (let seed = 0; seed < 20; seed++) {
      expect(trend(memory(8, seed))!.low, `seed ${seed}`).toBeGreaterThan(2);
      expect(trend(memory(0, seed))!.low, `seed ${seed}`).toBeLessThan(2);
    }
  });

  it('says nothing of too few samples', () => {
    expect(trend(memory(8, 0).slice(0, 59))).toBeUndefined();
  });
});
