// How far apart two right backends may drift: what the CPU does when its sums come in another order (1, 2 and 3 threads), and, for
// factors that are rounded, when it multiplies in bf16. Everything is judged by that, so that a right backend passes on every machine
// and an optimiser that is 1 % off does not.

/** After so few steps weights have gone the same way but for rounding; later one ReLU that falls the other way is multiplied. */
export const EARLY_STEPS = 4;

/** What training is tried with: the paper's, and what the other recipes add to it. (An average warms up: its decay begins at 0.18.) */
export const RECIPES = {
  sgd: { rate: 0.01, options: { emaDecay: 0.3 } },
  adamw: { rate: 0.001, options: { optimizer: 'adamw', weightDecay: 0.5, labelSmoothing: 0.1, clipNorm: 1 } },
};

// Times the drift measured: three samples of it are few, and a GPU sums in a third order.
const EARLY_MARGIN = 4;
const MEAN_MARGIN = 4;
// Rounded to 11 bits instead of 8, factors stray an eighth as far; twice that for luck.
const PRECISIONS = { fp32: 0, tf32: 1 / 4, bf16: 2 };
// Of the loss: after hundreds of steps chaos decides each run's own, and only a run that goes wrong as a whole is to be found.
const MEAN_FLOOR = 0.05;

/** Length of the difference of two runs' early weights, in lengths of the way they went from `start`. */
export function distance(a, b, start) {
  let [apart, way] = [0, 0];
  a.forEach(({ data, trainable }, t) => {
    if (!trainable) return; // statistics go another way, and a longer one
    for (let i = 0; i < data.length; i++) {
      apart += (data[i] - b[t].data[i]) ** 2;
      way += (b[t].data[i] - start[t].data[i]) ** 2;
    }
  });
  return Math.sqrt(apart / way);
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

/** How far a run, {losses, early, average}, is from a reference. */
export const apart = (run, reference, start) => ({
  early: Math.max(
    distance(run.early, reference.early, start),
    ...(run.average.length > 0 ? [distance(run.average, reference.average, start)] : []),
  ),
  mean: Math.abs(mean(run.losses) - mean(reference.losses)),
});

/** What `precision` may be apart from runs[0], from float32 runs that differ by their order alone and one in bf16. */
export function allowed(runs, bf16, start, precision) {
  const pairs = runs.flatMap((a, i) => runs.slice(i + 1).map((b) => apart(a, b, start)));
  const widest = (figure) => Math.max(...pairs.map((pair) => pair[figure]));
  const rounded = apart(bf16, runs[0], start);
  const share = PRECISIONS[precision];
  return {
    early: EARLY_MARGIN * widest('early') + share * rounded.early,
    mean: MEAN_MARGIN * widest('mean') + share * rounded.mean + MEAN_FLOOR * mean(runs[0].losses),
  };
}

/** @returns {{passed: boolean, early: number, mean: number, allowed: {early: number, mean: number}}} */
export function judge(run, runs, bf16, start, precision) {
  const figures = apart(run, runs[0], start);
  const most = allowed(runs, bf16, start, precision);
  return { passed: figures.early <= most.early && figures.mean <= most.mean, ...figures, allowed: most };
}
