/** Figures of a training epoch. */

/** One line of metrics.jsonl and metrics.csv. */
export interface EpochRow {
  /** One-based. */
  epoch: number;
  /** Of the epoch's last step. */
  learningRate: number;
  /** Mean of the epoch's steps, as trained: with augmentation, smoothing and class weights. */
  trainLoss: number;
  /** Of the same images, 0..1. */
  trainAccuracy: number;
  /** Mean cross-entropy on the validation images after the epoch, nats. */
  validationLoss: number;
  /** On the same images, 0..1. */
  validationAccuracy: number;
  /** Of training the epoch, or its rest after a resumption; validation left out. */
  seconds: number;
  /** Trained images by `seconds`. */
  imagesPerSecond: number;
}
