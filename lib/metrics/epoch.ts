/** Figures of a training epoch. */

/** One line of metrics.jsonl and metrics.csv. */
export interface EpochRow {
  /** One-based. */
  epoch: number;
  /** Of the epoch's last step. */
  learningRate: number;
  trainLoss: number;
  trainAccuracy: number;
  validationLoss: number;
  validationAccuracy: number;
  seconds: number;
  imagesPerSecond: number;
}
