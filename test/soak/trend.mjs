// Does a series grow? Neighbouring samples depend on each other (a heap grows until it is swept), so that a regression over all of
// them would be too sure of itself: it is made over the means of a few long blocks.

const BLOCKS = 20;
/** Student's t, 97.5 %, for 18 degrees of freedom: 20 blocks less two for the line. */
const T = 2.101;

/**
 * Slope of `samples` ([hours, value]) an hour, with its 95 % interval: { slope, low, high, mean }.
 * Undefined for fewer samples than three a block.
 */
export function trend(samples) {
  if (samples.length < 3 * BLOCKS) return undefined;
  const blocks = Array.from({ length: BLOCKS }, (_, i) => {
    const part = samples.slice(Math.floor((i * samples.length) / BLOCKS), Math.floor(((i + 1) * samples.length) / BLOCKS));
    return [0, 1].map((axis) => part.reduce((sum, sample) => sum + sample[axis], 0) / part.length);
  });
  const [meanX, meanY] = [0, 1].map((axis) => blocks.reduce((sum, block) => sum + block[axis], 0) / BLOCKS);
  const sxx = blocks.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = blocks.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / sxx;
  const residual = blocks.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const half = T * Math.sqrt(residual / (BLOCKS - 2) / sxx);
  return { slope, low: slope - half, high: slope + half, mean: meanY };
}
