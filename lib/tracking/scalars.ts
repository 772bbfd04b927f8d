/** What trackers are told, by the names that they group by. */
import type { EpochRow } from '../metrics/epoch.js';
import type { ClassificationMetrics } from '../metrics/index.js';

/** Of an epoch. */
export const epochScalars = (row: EpochRow): Record<string, number> => ({
  'loss/training': row.trainLoss,
  'loss/validation': row.validationLoss,
  'accuracy/training': row.trainAccuracy,
  'accuracy/validation': row.validationAccuracy,
  learning_rate: row.learningRate,
  seconds: row.seconds,
  images_per_second: row.imagesPerSecond,
});

/** Of the evaluation at the end. */
export const testScalars = (m: ClassificationMetrics): Record<string, number> => ({
  'test/accuracy': m.accuracy,
  'test/macro_precision': m.macroPrecision,
  'test/macro_recall': m.macroRecall,
  'test/macro_f1': m.macroF1,
  'test/roc_auc': m.rocAuc,
  'test/loss': m.loss,
  'test/expected_calibration_error': m.expectedCalibrationError,
});
