import { beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import type { FitOptions } from '../../lib/training/fit.js';

/** Training images of each class; the last class has none. */
const COUNTS = [40, 5, 10, 20, 1, 4, 0];
const BIAS = [0.5, -1, 2, 0, 1, -0.25, 0.75];
const TOTAL = COUNTS.reduce((a, b) => a + b);

let data: LabelledImages;
beforeAll(() => {
  const all = syntheticFaces({ size: 16 });
  const training = all.splits.get('Training') as Uint32Array;
  const rows = COUNTS.flatMap((count, label) => [...training.filter((row) => all.labels[row] === label).subarray(0, count)]);
  data = { ...all, splits: new Map([...all.splits, ['Training', Uint32Array.from(rows)]]) };
});

/** Training loss of one step over all images, by a network whose logits are `BIAS` whatever it sees. */
async function lossOf(options: FitOptions): Promise<number> {
  using model = MiniXception.create({ width: { stem: [4, 4], modules: [8] }, inputSize: 16, threads: 1 });
  const tensors = await model.tensors();
  tensors.get('head.weight')?.data.fill(0);
  tensors.get('head.bias')?.data.set(BIAS);
  await model.setTensors(tensors);
  const result = await model.fit(data, { epochs: 1, batchSize: 128, learningRate: 0, optimizer: 'sgd', schedule: 'constant', ...options });
  return result.rows[0].trainLoss;
}

/** -log softmax(BIAS), by class. */
const losses = BIAS.map((z) => Math.log(BIAS.reduce((sum, other) => sum + Math.exp(other), 0)) - z);

describe('the training loss', () => {
  it('is the mean over images', async () => {
    const expected = losses.reduce((sum, loss, c) => sum + loss * COUNTS[c], 0) / TOTAL;
    expect(await lossOf({})).toBeCloseTo(expected, 5);
  });

  it('counts every class that occurs alike when classes are balanced', async () => {
    const present = losses.filter((_, c) => COUNTS[c] > 0);
    expect(await lossOf({ balanceClasses: true })).toBeCloseTo(present.reduce((a, b) => a + b) / present.length, 5);
  });

  it('draws classes more alike the stronger the sampling is balanced', async () => {
    // Drawings of each class out of 80, proportional to count^(1 - strength), by largest remainder.
    const drawings = { 0.5: [27, 9, 13, 19, 4, 8, 0], 1: [14, 14, 13, 13, 13, 13, 0] };
    for (const [strength, counts] of Object.entries(drawings)) {
      const expected = losses.reduce((sum, loss, c) => sum + loss * counts[c], 0) / counts.reduce((a, b) => a + b);
      expect(await lossOf({ balancedSampling: Number(strength) })).toBeCloseTo(expected, 5);
    }
  });

  it('smooths labels towards the uniform distribution', async () => {
    const share = 0.3;
    const uniform = losses.reduce((a, b) => a + b) / losses.length;
    const expected = losses.reduce((sum, loss, c) => sum + ((1 - share) * loss + share * uniform) * COUNTS[c], 0) / TOTAL;
    expect(await lossOf({ labelSmoothing: share })).toBeCloseTo(expected, 5);
  });
});
