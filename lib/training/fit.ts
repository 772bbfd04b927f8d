/** What `fit` takes, tells and gives. */
import type { CancelSignal } from '../cancel-signal.js';
import type { EpochRow } from '../metrics/epoch.js';
import type { ClassificationMetrics } from '../metrics/index.js';
import type { TrainingConfig } from './options.js';

/** Where training stands. */
export interface TrainingProgress {
  /** One-based. */
  epoch: number;
  /** Epochs of the run. */
  epochs: number;
  /** Finished steps of the epoch. */
  step: number;
  /** Steps of an epoch. */
  steps: number;
  /** Mean over the images of this epoch so far. */
  loss: number;
  /** The same, 0..1. */
  accuracy: number;
  /** Since the epoch began, or was gone on with. */
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
  signal?: CancelSignal;
  /** Who else follows the run: `tensorBoard()`, `mlflow()`, or your own. Default nobody. */
  trackers?: readonly Tracker[];
  /** Called after steps, now and then where the device is asynchronous. What it throws ends the run, once its state is saved. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Called after each epoch's validation, once its state is saved. What it throws ends the run. */
  onEpoch?: (row: EpochRow) => void;
}

/** What training did. */
export interface TrainingResult {
  /** The whole configuration: options, the preset's and defaults. */
  config: TrainingConfig;
  /** One a finished epoch, those before a resumption among them. */
  rows: EpochRow[];
  /** The epoch whose weights the model now has. */
  chosen: {
    /** One-based. */
    epoch: number;
    /** Its validation accuracy, 0..1. */
    accuracy: number;
  };
  /** Whether the signal ended it; `resume` goes on. */
  aborted: boolean;
  /** On the test split, once, at the end; absent when aborted or without such a split. */
  evaluation?: ClassificationMetrics;
  /** The split of `evaluation`: PrivateTest or Test. */
  evaluatedSplit?: string;
  /** Where it was written, if anywhere. */
  runFolder?: string;
  /** Facts about how the data were used. */
  notes: string[];
}

/** What a tracker hears before the first step. */
export interface RunFacts {
  /** Every option. */
  config: TrainingConfig;
  /** Where it is written, if anywhere. */
  runFolder?: string;
  /** Names of the classes. */
  classes: readonly string[];
  /** Where the data came from. */
  dataSource: string;
  /** What computes it. */
  device: string;
  /** Trainable parameters. */
  parameterCount: number;
  /** Whether an interrupted run goes on. */
  resumed: boolean;
  /** Its epochs so far. */
  rows: readonly EpochRow[];
}

/** How a run ended. */
export interface RunEnd {
  /** "aborted": by its signal; it may go on. */
  status: 'finished' | 'aborted' | 'failed';
  /** Of one that did not fail. */
  result?: TrainingResult;
  /** What one that failed threw. */
  error?: unknown;
}

/** Follows a training beside its run folder: TensorBoard, MLflow, or a program's own. What `begin` throws ends the run before its first step; later on a warning is all that comes of an error. */
export interface Tracker {
  /** For warnings. */
  readonly name: string;
  /** Before the first step. */
  begin(facts: RunFacts): Promise<void>;
  /** After each epoch, once its state is saved. */
  epoch(row: EpochRow): Promise<void>;
  /** At the end, once the run folder has everything. */
  end(end: RunEnd): Promise<void>;
}
