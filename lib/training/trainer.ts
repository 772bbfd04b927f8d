/** The native trainer of a configuration. */
import type { LabelledImages } from '../data/data-set.js';
import { native, type NativeDataSet, type NativeEpochTotals, type NativeTeacher, type NativeTrainer } from '../native.js';
import type { Network } from '../network/network.js';
import type { TrainingConfig } from './options.js';

/** Totals at the start of an epoch. */
export const NO_TOTALS: NativeEpochTotals = { lossSum: 0, correct: 0, seen: 0, step: 0 };

/**
 * Opens a trainer of `network` over `resident`; free it with `using`, before both. `classWeights`: one a class.
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_OUT_OF_MEMORY
 */
export async function openTrainer(
  network: Network,
  resident: NativeDataSet,
  config: TrainingConfig,
  { classWeights = new Float32Array(0), teachers = [] }: { classWeights?: Float32Array; teachers?: readonly NativeTeacher[] } = {},
): Promise<NativeTrainer & Disposable> {
  const trainer = new (native().Trainer)(network.native, resident, { ...config, classWeights, augmentation: config });
  await trainer.open(teachers);
  return Object.assign(trainer, { [Symbol.dispose]: () => trainer.dispose() });
}

/** A weight a class: inverse frequency, scaled to a mean of 1 over `rows`. */
export function inverseFrequencies(data: LabelledImages, rows: Uint32Array): Float32Array {
  const counts = new Array<number>(data.classes.length).fill(0);
  for (const row of rows) counts[data.labels[row]]++;
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count > 0 ? rows.length / (present * count) : 0));
}
