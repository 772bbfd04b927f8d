/** Metrics as plain text tables. */
import { percent, table } from '../plain-text.js';
import type { ClassificationMetrics } from './index.js';

/** Per-class precision, recall, F1 and support, the averages below, then the overall figures. */
export function formatReport(m: ClassificationMetrics): string {
  const row = (name: string, precision: number, recall: number, f1: number, support: number): string[] => [
    name,
    percent(precision),
    percent(recall),
    percent(f1),
    String(support),
  ];
  return [
    table([
      ['class', 'precision', 'recall', 'F1', 'support'],
      ...m.perClass.map((c) => row(c.name, c.precision, c.recall, c.f1, c.support)),
      row('macro average', m.macroPrecision, m.macroRecall, m.macroF1, m.n),
      row('weighted average', m.weightedPrecision, m.weightedRecall, m.weightedF1, m.n),
    ]),
    '',
    `accuracy ${percent(m.accuracy)} (95 % interval ${percent(m.accuracyInterval[0])} to ${percent(m.accuracyInterval[1])}, n = ${m.n})`,
    `ROC-AUC ${m.rocAuc.toFixed(4)} (macro, one against the rest), loss ${m.loss.toFixed(4)}, expected calibration error ${percent(m.expectedCalibrationError)}`,
    'Where a class is never predicted (or has no image), its precision (or recall) counts as 0.',
  ].join('\n');
}

/** Counts, true classes down, predictions across. */
export function formatConfusionMatrix(m: ClassificationMetrics): string {
  const names = m.perClass.map((c) => c.name);
  return table([['true \\ predicted', ...names], ...m.confusionMatrix.map((row, i) => [names[i], ...row.map(String)])]);
}
