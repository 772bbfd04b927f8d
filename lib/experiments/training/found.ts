/** What a cell that trains is given, and what it leaves. */
import type { EpochRow } from '../../metrics/epoch.js';
import type { ClassificationMetrics } from '../../metrics/index.js';
import type { TrainingConfig } from '../../training/options.js';
import type { Cell } from '../experiment.js';

export interface TrainingCell extends Cell {
  config: TrainingConfig;
  names: string[];
}

export interface Trained {
  config: TrainingConfig;
  rows: EpochRow[];
  chosen: { epoch: number; accuracy: number };
  /** Absent when training diverged. */
  evaluation?: ClassificationMetrics;
  evaluatedSplit?: string;
  /** Why training ended early, if it did. */
  diverged?: string;
  parameters: number;
  multiplyAdds: number;
  /** Held natively during training: parameters, optimiser, activations of one batch, scratch. */
  memoryBytes: number;
}
