/** Figures as files hold them. */
import { exactly, list, number, object, pair, text, whole } from '../schema.js';
import type { EpochRow } from './epoch.js';
import type { ClassificationMetrics, ClassMetrics } from './index.js';

const share = number(0, 1);

export const epochRow = object<EpochRow>({
  epoch: whole(1),
  learningRate: number(0),
  trainLoss: number(0),
  trainAccuracy: share,
  validationLoss: number(0),
  validationAccuracy: share,
  seconds: number(0),
  imagesPerSecond: number(0),
});

const classMetrics = object<ClassMetrics>({ name: text(), precision: share, recall: share, f1: share, support: whole() });

export const METRICS = {
  n: whole(1),
  accuracy: share,
  accuracyInterval: pair(share),
  macroPrecision: share,
  macroRecall: share,
  macroF1: share,
  weightedPrecision: share,
  weightedRecall: share,
  weightedF1: share,
  perClass: list(classMetrics),
  confusionMatrix: list(list(whole())),
  rocAuc: share,
  expectedCalibrationError: share,
  loss: number(0),
  zeroDivision: exactly(0),
};

export const classificationMetrics = object<ClassificationMetrics>(METRICS);
