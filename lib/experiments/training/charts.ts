/** Trainings as charts: learning curves, and accuracies beside the paper's. */
import { curvesChart, estimatesChart, type Estimate } from '../../charts/experiments.js';
import type { EpochRow } from '../../metrics/epoch.js';
import { percent } from '../../plain-text.js';
import type { Chart } from '../../report/result.js';
import { accuracyOf, figureOf, type Group } from './groups.js';

/** Validation accuracy and training loss over the epochs; the first seed of each group. */
export function curveCharts(groups: readonly Group[]): Chart[] {
  const curves = (pick: (row: EpochRow) => number) =>
    groups.map(({ name, cells }) => ({ name, points: cells[0].found.rows.map((row) => ({ x: row.epoch, y: pick(row) })) }));
  const ends = (pick: (row: EpochRow) => string): string =>
    groups
      .filter(({ cells }) => cells[0].found.rows.length > 0)
      .map(({ name, cells }) => `${name} ends at ${pick(cells[0].found.rows.at(-1)!)} after ${cells[0].found.rows.length} epochs`)
      .join('; ');
  return [
    {
      id: 'validation-accuracy',
      caption: 'Learning curves: accuracy on the validation images (PublicTest, where there is one) after every epoch.',
      alt: `Line chart of validation accuracy over epochs: ${ends((row) => percent(row.validationAccuracy))}.`,
      spec: curvesChart(
        curves((row) => row.validationAccuracy * 100),
        { x: 'epoch', y: 'validation accuracy, %' },
      ),
    },
    {
      id: 'training-loss',
      caption: 'Learning curves: mean cross-entropy over the training images of every epoch.',
      alt: `Line chart of training loss over epochs: ${ends((row) => row.trainLoss.toFixed(2))}.`,
      spec: curvesChart(
        curves((row) => row.trainLoss),
        { x: 'epoch', y: 'training loss' },
      ),
    },
  ];
}

export function accuracyChart(estimates: readonly Estimate[]): Chart {
  const words = estimates.map(({ name, source, value }) => `${name}, ${source}: ${percent(value)}`).join('; ');
  return {
    id: 'accuracy',
    caption: 'Accuracy on the test split with 95 % Wilson intervals, beside the paper.',
    alt: `Accuracies with intervals. ${words}.`,
    spec: estimatesChart(estimates, 'accuracy, %'),
  };
}

/** Our accuracies, a group each. */
export const ownEstimates = (groups: readonly Group[]): Estimate[] =>
  groups.flatMap((group) => {
    const figure = figureOf(group, accuracyOf, true);
    return figure ? [{ name: group.name, source: 'ours', value: figure.value, interval: figure.interval }] : [];
  });
