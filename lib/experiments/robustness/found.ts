/** What a cell of experiment 3 leaves: one curve of one model, or the pictures. */
import type { Picture } from '../../report/result.js';
import type { RobustnessMeasurement } from './measure.js';

export interface ModelFacts {
  name: string;
  width: string;
  inputSize: number;
  parameters: number;
  /** Imported from another project's file, so that its figures are not ours. */
  imported: boolean;
}

/** One curve of one model. */
export interface MeasuredCurve {
  model: ModelFacts;
  measurement: RobustnessMeasurement;
}

export type RobustnessFound = MeasuredCurve | { pictures: Picture[] };
