/** What training uses each split for. */
import type { LabelledImages } from '../data/data-set.js';
import { reportedSplit, splitNames, type SplitName } from '../data/splits.js';
import { FerError } from '../errors.js';

export interface Roles {
  /** Rows to learn from, and to choose on after every epoch. */
  training: Uint32Array;
  validation: Uint32Array;
  /** What is reported once, at the end; absent where the data set has no such split. */
  test?: SplitName;
  /** Facts about the choice, one line each. */
  notes: string[];
}

/** @throws {FerError} ERR_FER_DATA_FORMAT where there is nothing to learn from, or too little to hold some out. */
export function rolesOf(data: LabelledImages): Roles {
  const training = data.splits.get('Training');
  if (!training?.length) throw new FerError('ERR_FER_DATA_FORMAT', `${data.source} has no Training split; it has ${splitNames(data)}`);
  const test = reportedSplit(data);
  const validation = data.splits.get('PublicTest');
  if (validation?.length) return { training, validation, test, notes: [] };
  if (training.length < 10)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${data.source} has ${training.length} training images and no PublicTest split; at least 10 are needed to hold some out`,
    );
  // Every tenth row; files are not sorted in a way that repeats every ten rows, and the choice needs no seed.
  return {
    training: training.filter((_, i) => i % 10 !== 9),
    validation: training.filter((_, i) => i % 10 === 9),
    test,
    notes: ['there is no PublicTest split: every tenth training image is held out to choose on'],
  };
}
