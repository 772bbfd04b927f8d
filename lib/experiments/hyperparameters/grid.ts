/** The hyperparameters to compare, as data; `grid-file.ts` reads them from a file. */
import type { TrainingConfig } from '../../training/options.js';
import { PAPER_SETTINGS } from '../paper/figures.js';

/** A setting to train with. */
export interface GridPoint {
  /** Short; a file name. */
  name: string;
  /** Training options; the seed is not among them. */
  config: Partial<TrainingConfig>;
}

/** What names a point: the beginning of a file's name. */
export const POINT_NAME = /^\w[\w.-]{0,199}$/;
export const POINT_NAME_WORDS = 'a name of letters, digits, ".", "-" and "_", at most 200';

/** C1 to C4. */
export function paperGrid(): GridPoint[] {
  return PAPER_SETTINGS.map(({ name, batchSize, learningRate, epochs }) => ({
    name,
    config: { preset: 'paper', width: 'wide', batchSize, learningRate, epochs },
  }));
}
