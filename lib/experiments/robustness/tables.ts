/** Experiment 3 as tables: the paper's settings, a table a series, and all severities in one. */
import { SEVERITIES } from '../../perturb/definition.js';
import { inPercent, thousands } from '../../plain-text.js';
import type { Column, Table } from '../../report/result.js';
import { mean } from '../statistics.js';
import { paperSeriesOf, pointsOf, type ModelCurves } from './curves.js';
import type { RobustnessPoint } from './measure.js';

/** Only where several models stand in one table. */
const modelColumn = (models: readonly ModelCurves[]): Column[] =>
  models.length > 1 ? [{ key: 'model', title: 'model', format: 'text' }] : [];

export function paperTables(models: readonly ModelCurves[]): Table[] {
  return paperSeriesOf(models).map((series) => ({
    id: series.type,
    caption: `Images still right after ${series.change} (the paper's ${series.place}).`,
    columns: [
      ...modelColumn(models),
      { key: 'setting', title: 'setting', format: 'text' },
      { key: 'paper', title: 'paper, of 21', format: 'text' },
      { key: 'protocol', title: 'ours, of 21', format: 'percent' },
      { key: 'protocolInterval', title: '95 % interval', format: 'interval' },
      { key: 'drawsMean', title: 'mean of draws', format: 'percent' },
      { key: 'drawsRange', title: '95 % of draws', format: 'interval' },
      { key: 'kept', title: 'of all right images', format: 'percent' },
      { key: 'keptInterval', title: '95 % interval', format: 'interval' },
      { key: 'keptImages', title: 'n', format: 'count' },
      { key: 'keptClassMean', title: 'mean over classes', format: 'percent' },
      { key: 'accuracy', title: 'whole split', format: 'percent' },
      { key: 'accuracyInterval', title: '95 % interval', format: 'interval' },
      { key: 'n', title: 'n', format: 'count' },
    ],
    rows: models.flatMap((model) => pointsOf(model, series).map((point) => paperRow(model.name, point))),
  }));
}

function paperRow(model: string, { label, paper, protocol, draws, kept, accuracy }: RobustnessPoint): Table['rows'][number] {
  return {
    model,
    setting: label,
    paper: paper ? `${paper.bound ? '< ' : ''}${inPercent(paper.share)}` : '–',
    protocol: protocol.share,
    protocolInterval: protocol.interval,
    drawsMean: draws.mean,
    drawsRange: [draws.low, draws.high],
    kept: kept.pooled.share,
    keptInterval: kept.pooled.interval,
    keptImages: kept.pooled.n,
    keptClassMean: kept.classMean,
    accuracy: accuracy.share,
    accuracyInterval: accuracy.interval,
    n: accuracy.n,
  };
}

export function severityTable(models: readonly ModelCurves[]): Table[] {
  if (models.every(({ severities }) => severities.length === 0)) return [];
  const { n } = models[0].clean;
  return [
    {
      id: 'severities',
      caption: `Accuracy on the whole split (n = ${thousands(n)}; intervals at most ±1.7 points at n = 3,589) under every perturbation at its five severities, and the share of right images that stay right, averaged over the severities.`,
      columns: [
        ...modelColumn(models),
        { key: 'perturbation', title: 'perturbation', format: 'text' },
        ...SEVERITIES.map((severity): Column => ({ key: `severity${severity}`, title: `severity ${severity}`, format: 'percent' })),
        { key: 'mean', title: 'mean', format: 'percent' },
        { key: 'kept', title: 'stay right, mean', format: 'percent' },
      ],
      rows: models.flatMap((model) =>
        model.severities.map(({ title, points }) => ({
          model: model.name,
          perturbation: title,
          ...Object.fromEntries(points.map(({ severity, accuracy }) => [`severity${severity}`, accuracy.share])),
          mean: mean(points.map(({ accuracy }) => accuracy.share)),
          kept: mean(points.map(({ kept }) => kept.pooled.share)),
        })),
      ),
    },
  ];
}
