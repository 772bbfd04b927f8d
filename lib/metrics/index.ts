/** Figures of a classifier on one split, from its logits. */
import { invalidArgument } from '../errors.js';

/** The ends of a 95 % interval. */
export type Interval = [low: number, high: number];

/** Figures of one class; fractions 0..1. */
export interface ClassMetrics {
  /** Of the class. */
  name: string;
  /** Share of the images called this class that are of it. */
  precision: number;
  /** Share of the images of this class that were called so. */
  recall: number;
  /** Harmonic mean of precision and recall. */
  f1: number;
  /** Images of this class. */
  support: number;
}

/** Figures of a classifier on one split; fractions 0..1. */
export interface ClassificationMetrics {
  /** Images. */
  n: number;
  /** Share of images whose largest logit is the true class's. */
  accuracy: number;
  /** 95 % Wilson score interval of `accuracy`. */
  accuracyInterval: Interval;
  /** Mean of the classes' precisions. */
  macroPrecision: number;
  /** Mean of the classes' recalls. */
  macroRecall: number;
  /** Mean of the classes' F1. */
  macroF1: number;
  /** Mean of the classes' precisions, weighted by their images. */
  weightedPrecision: number;
  /** The same of recall: equal to `accuracy`. */
  weightedRecall: number;
  /** The same of F1. */
  weightedF1: number;
  /** One a class, in the order of the labels. */
  perClass: ClassMetrics[];
  /** Rows: true class; columns: predicted class. */
  confusionMatrix: number[][];
  /** Mean over classes of the one-vs-rest area under the ROC curve; classes without both kinds of image are left out. */
  rocAuc: number;
  /** Over 15 equal-width bins of the top-1 probability (Guo et al., ICML 2017). */
  expectedCalibrationError: number;
  /** Mean cross-entropy, nats. */
  loss: number;
  /** The value precision, recall and F1 take where their denominator is 0. */
  zeroDivision: 0;
}

/** 95 % Wilson score interval of k successes in n trials. */
export function wilsonInterval(k: number, n: number): Interval {
  if (n === 0) return [0, 1];
  const z = 1.959963984540054;
  const p = k / n;
  const middle = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  // At the ends the formula gives 0 and 1 but for rounding.
  return [k === 0 ? 0 : (middle - spread) / scale, k === n ? 1 : (middle + spread) / scale];
}

/** Softmax of each row of logits [n, classes], computed in float64. */
export function softmax(logits: Float32Array, classes: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    let most = -Infinity;
    for (let c = 0; c < classes; c++) most = Math.max(most, logits[row + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += out[row + c] = Math.exp(logits[row + c] - most);
    for (let c = 0; c < classes; c++) out[row + c] /= sum;
  }
  return out;
}

/** Index of the largest of `count` values from `start`; the first of equals. */
export function argmax(values: Float32Array | Float64Array, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/**
 * All figures of a classifier at once. `logits` [n, classes], `labels` [n].
 * @throws {FerError} ERR_FER_ARGUMENT when lengths do not fit or a label has no class.
 */
export function classificationMetrics(logits: Float32Array, labels: Uint8Array, classes: readonly string[]): ClassificationMetrics {
  const k = classes.length;
  const n = labels.length;
  if (logits.length !== n * k) invalidArgument('logits', `${n} x ${k} values`, logits.length);
  const probabilities = softmax(logits, k);
  const confusionMatrix = classes.map((): number[] => new Array<number>(k).fill(0));
  let correct = 0;
  let loss = 0;
  const binCount = 15;
  const bins = Array.from({ length: binCount }, () => ({ count: 0, correct: 0, confidence: 0 }));
  for (let i = 0; i < n; i++) {
    const label = labels[i];
    if (label >= k) invalidArgument('labels', `labels below ${k}`, label);
    const predicted = argmax(logits, i * k, k);
    confusionMatrix[label][predicted]++;
    correct += Number(predicted === label);
    loss -= Math.log(Math.max(probabilities[i * k + label], Number.MIN_VALUE));
    const confidence = probabilities[i * k + predicted];
    const bin = bins[Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1))];
    bin.count++;
    bin.correct += Number(predicted === label);
    bin.confidence += confidence;
  }
  const perClass = classes.map((name, c): ClassMetrics => {
    const support = confusionMatrix[c].reduce((a, b) => a + b, 0);
    const predictions = confusionMatrix.reduce((sum, row) => sum + row[c], 0);
    const hits = confusionMatrix[c][c];
    const precision = ratio(hits, predictions);
    const recall = ratio(hits, support);
    return { name, precision, recall, f1: ratio(2 * hits, predictions + support), support };
  });
  // As scikit-learn: the macro mean runs over classes that occur, as truth or as prediction.
  const present = perClass.filter((m, c) => m.support > 0 || confusionMatrix.some((row) => row[c] > 0));
  const macro = (key: 'precision' | 'recall' | 'f1'): number =>
    ratio(
      present.reduce((sum, m) => sum + m[key], 0),
      present.length,
    );
  const weighted = (key: 'precision' | 'recall' | 'f1'): number =>
    ratio(
      perClass.reduce((sum, m) => sum + m[key] * m.support, 0),
      n,
    );
  return {
    n,
    accuracy: ratio(correct, n),
    accuracyInterval: wilsonInterval(correct, n),
    macroPrecision: macro('precision'),
    macroRecall: macro('recall'),
    macroF1: macro('f1'),
    weightedPrecision: weighted('precision'),
    weightedRecall: weighted('recall'),
    weightedF1: weighted('f1'),
    perClass,
    confusionMatrix,
    rocAuc: macroRocAuc(probabilities, labels, k),
    expectedCalibrationError: bins.reduce((sum, bin) => sum + Math.abs(bin.correct - bin.confidence), 0) / Math.max(n, 1),
    loss: ratio(loss, n),
    zeroDivision: 0,
  };
}

/** Area under the ROC curve as the Mann-Whitney statistic, ties counted half. */
function macroRocAuc(probabilities: Float64Array, labels: Uint8Array, classes: number): number {
  const n = labels.length;
  let sum = 0;
  let counted = 0;
  for (let c = 0; c < classes; c++) {
    const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
      (a, b) => probabilities[a * classes + c] - probabilities[b * classes + c],
    );
    let positives = 0;
    let rankSum = 0;
    for (let i = 0; i < n; ) {
      let end = i;
      while (end < n && probabilities[order[end] * classes + c] === probabilities[order[i] * classes + c]) end++;
      const meanRank = (i + end + 1) / 2;
      for (; i < end; i++)
        if (labels[order[i]] === c) {
          positives++;
          rankSum += meanRank;
        }
    }
    if (positives === 0 || positives === n) continue;
    sum += (rankSum - (positives * (positives + 1)) / 2) / (positives * (n - positives));
    counted++;
  }
  return ratio(sum, counted);
}
