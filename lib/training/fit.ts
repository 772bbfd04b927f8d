/** What `fit` takes, tells and gives. */
import type { EpochRow } from '../metrics/epoch.js';
import type { ClassificationMetrics } from '../metrics/index.js';
import type { TrainingConfig } from './options.js';

export interface TrainingProgress {
  /** One-based. */
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** Means over the images of this epoch so far. */
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
  /** Until the last epoch ends. */
  secondsLeft: number;
}

/** Any option of `TrainingConfig` (width, input size and precision come from the model), and how to run. */
export interface FitOptions extends Partial<Omit<TrainingConfig, 'width' | 'inputSize' | 'precision'>> {
  /** Folder for configuration, metrics, checkpoints and charts; none: nothing is written. */
  runFolder?: string;
  /** Go on with the run in `runFolder`; its configuration applies. Default false. */
  resume?: boolean;
  /** Finishes the running step, saves, and ends with `aborted: true`. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
  onEpoch?: (row: EpochRow) => void;
}

export interface TrainingResult {
  config: TrainingConfig;
  rows: EpochRow[];
  /** One-based epoch whose weights the model now has, and its validation accuracy. */
  chosen: { epoch: number; accuracy: number };
  aborted: boolean;
  /** On the test split, once, at the end; absent when aborted or without such a split. */
  evaluation?: ClassificationMetrics;
  evaluatedSplit?: string;
  runFolder?: string;
  /** Facts about how the data were used. */
  notes: string[];
}
