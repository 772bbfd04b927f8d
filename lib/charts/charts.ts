/** The package's charts as Vega-Lite specifications. */
import type { TopLevelSpec } from 'vega-lite';
import type { ChartSpec } from './spec.js';
import type { ClassificationMetrics } from '../metrics/index.js';
import type { EpochRow } from '../metrics/epoch.js';
import { percent } from '../plain-text.js';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

/** Images of each class in each split: the paper's Figure 5. `counts`: by split, then by class. */
export function classDistributionChart(counts: ReadonlyMap<string, Readonly<Record<string, number>>>): ChartSpec {
  const values = [...counts].flatMap(([split, classes]) =>
    Object.entries(classes).map(([name, images]) => ({ split, class: name, images })),
  );
  const classes = [...new Set(values.map((value) => value.class))];
  return {
    $schema: SCHEMA,
    title: 'Images of each class',
    data: { values },
    width: 560,
    height: 280,
    mark: 'bar',
    encoding: {
      x: { field: 'class', type: 'nominal', sort: classes, title: null, axis: { labelAngle: 0 } },
      xOffset: { field: 'split', sort: [...counts.keys()] },
      y: { field: 'images', type: 'quantitative', title: 'images' },
      color: { field: 'split', type: 'nominal', sort: [...counts.keys()], title: null },
    },
  } satisfies TopLevelSpec;
}

/** Loss and accuracy over the epochs, training and validation. */
export function learningCurvesChart(rows: readonly EpochRow[]): ChartSpec {
  const values = rows.flatMap((row) => [
    { epoch: row.epoch, images: 'training', loss: row.trainLoss, accuracy: row.trainAccuracy * 100 },
    { epoch: row.epoch, images: 'validation', loss: row.validationLoss, accuracy: row.validationAccuracy * 100 },
  ]);
  const panel = (field: 'loss' | 'accuracy', title: string): object => ({
    width: 380,
    height: 260,
    mark: { type: 'line', point: rows.length < 3 },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', axis: { tickMinStep: 1, format: 'd' } },
      y: { field, type: 'quantitative', title, scale: { zero: false } },
      color: { field: 'images', type: 'nominal', title: null },
    },
  });
  return {
    $schema: SCHEMA,
    data: { values },
    hconcat: [panel('loss', 'loss (cross-entropy)'), panel('accuracy', 'accuracy, %')],
  };
}

/** Counts in the cells, colour by share of the true class. */
export function confusionMatrixChart(metrics: ClassificationMetrics): ChartSpec {
  const names = metrics.perClass.map((c) => c.name);
  const values = metrics.confusionMatrix.flatMap((row, i) => {
    const total = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    );
    return row.map((count, j) => ({ true: names[i], predicted: names[j], count, share: count / total }));
  });
  return {
    $schema: SCHEMA,
    title: `Confusion matrix (n = ${metrics.n}, accuracy ${percent(metrics.accuracy)})`,
    data: { values },
    width: 60 * names.length,
    height: 44 * names.length,
    encoding: {
      x: { field: 'predicted', type: 'nominal', sort: names, axis: { labelAngle: 0 }, title: 'predicted' },
      y: { field: 'true', type: 'nominal', sort: names, title: 'true' },
    },
    layer: [
      {
        mark: 'rect',
        encoding: { color: { field: 'share', type: 'quantitative', scale: { domain: [0, 1], scheme: 'blues' }, title: 'share of class' } },
      },
      {
        mark: 'text',
        encoding: {
          text: { field: 'count', type: 'quantitative' },
          color: { condition: { test: 'datum.share > 0.5', value: 'white' }, value: 'black' },
        },
      },
    ],
  } satisfies TopLevelSpec;
}
