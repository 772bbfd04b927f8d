/**
 * Labels of one epoch, drawn from what several people said of each image: on average the loss is the cross-entropy to their votes
 * ("probabilistic label drawing", Barsoum et al., ICMI 2016).
 */
import type { LabelledImages } from '../data/data-set.js';
import { generator } from '../random.js';

/** The same for the same seed and epoch, so that a resumed epoch goes on with its labels. An image without votes keeps its label. */
export function drawnLabels({ votes, labels, classes }: LabelledImages, seed: number, epoch: number): Uint8Array | undefined {
  if (!votes) return undefined;
  const random = generator(Math.imul(seed % 2 ** 32, 0x9e3779b1) + epoch);
  return labels.map((label, row) => {
    const counts = votes.subarray(row * classes.length, (row + 1) * classes.length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    let left = random() * total;
    return total === 0 ? label : counts.findIndex((count) => (left -= count) < 0);
  });
}
