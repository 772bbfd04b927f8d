/** Experiment 3 as charts: a curve a series of the paper, the severities as colours, and the models against one another. */
import { bandsChart, heatmapChart, type BandPoint } from '../../charts/experiments.js';
import { inPercent } from '../../plain-text.js';
import type { Chart } from '../../report/result.js';
import { paperShare } from '../paper/figures.js';
import { paperSeriesOf, pointsOf, type ModelCurves, type PaperCurve } from './curves.js';
import type { Proportion, RobustnessPoint } from './measure.js';
import type { PaperSeries } from './series.js';

const axisTitle = ({ type, axis }: PaperSeries): string => `${type}, ${axis}`;

/** One model's; `named`: beside those of others. */
export function modelCharts(model: ModelCurves, named: boolean): Chart[] {
  const suffix = named ? `-${model.name}` : '';
  const whose = named ? ` of ${model.name}` : '';
  return [...model.paper.map((curve) => paperChart(curve, suffix, whose)), ...severityChart(model, suffix, whose)];
}

function paperChart({ series, points }: PaperCurve, suffix: string, whose: string): Chart {
  const line = (name: string, pick: (point: RobustnessPoint) => Pick<BandPoint, 'value' | 'interval'>): BandPoint[] =>
    points.map((point) => ({ name, x: point.value, ...pick(point) }));
  const share = ({ share: value, interval }: Proportion) => ({ value, interval });
  const words = points.map(
    ({ label, kept, paper }) => `${label} ${inPercent(kept.pooled.share)}${paper ? `, paper ${inPercent(paper.share)}` : ''}`,
  );
  return {
    id: `${series.type}${suffix}`,
    caption: `Robustness${whose} against ${series.type}: bands are 95 % intervals, for the draws the middle 95 % of them; diamonds are the paper's figures with the intervals that 21 images allow.`,
    alt: `Line chart, share still right in % by ${series.type}. ${words.join('; ')}.`,
    spec: bandsChart(
      [
        ...line('21 images, drawn again', ({ draws }) => ({ value: draws.mean, interval: [draws.low, draws.high] })),
        ...line('all right images', ({ kept }) => share(kept.pooled)),
        ...line('whole split', ({ accuracy }) => share(accuracy)),
      ],
      points.flatMap(({ value: x, paper }): BandPoint[] => {
        if (!paper) return [];
        const { value, interval } = paperShare(paper);
        return [{ name: 'paper, 21 images', x, value, interval }];
      }),
      { x: axisTitle(series), y: 'right, %' },
    ),
  };
}

function severityChart({ severities }: ModelCurves, suffix: string, whose: string): Chart[] {
  if (severities.length === 0) return [];
  const words = severities.map(({ title, points }) => `${title}: ${points.map(({ accuracy }) => inPercent(accuracy.share)).join(', ')}`);
  return [
    {
      id: `severities${suffix}`,
      caption: `Accuracy${whose} on the whole split under every perturbation, from barely visible (1) to severe (5).`,
      alt: `Table of colours, accuracy in % by perturbation and severity. ${words.join('; ')}.`,
      spec: heatmapChart(
        severities.flatMap(({ title, points }) =>
          points.map(({ severity, accuracy }) => ({ row: title, column: String(severity), value: accuracy.share })),
        ),
        { row: '', column: 'severity', value: 'accuracy, %' },
      ),
    },
  ];
}

/** Models against one another, on the whole split. */
export function modelsCharts(models: readonly ModelCurves[]): Chart[] {
  if (models.length < 2) return [];
  return paperSeriesOf(models).map((series): Chart => {
    const words = models.map((model) => {
      const shares = pointsOf(model, series).map(({ value, accuracy }) => `${value} ${inPercent(accuracy.share)}`);
      return `${model.name}: ${shares.join(', ')}`;
    });
    const curves = models.flatMap((model) =>
      pointsOf(model, series).map(({ value: x, accuracy: { share: value, interval } }) => ({ name: model.name, x, value, interval })),
    );
    return {
      id: `models-${series.type}`,
      caption: `The models compared: accuracy on the whole split by ${series.type}, with 95 % intervals.`,
      alt: `Line chart, accuracy in % by ${series.type}. ${words.join('; ')}.`,
      spec: bandsChart(curves, [], { x: axisTitle(series), y: 'accuracy, %' }),
    };
  });
}
