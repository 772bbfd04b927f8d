/** Experiment 3 in words: what was measured, and each figure beside the paper's. Its tables and charts have files of their own. */
import { PERTURBATION_TYPES } from '../../perturb/registry.js';
import { inPercent, percent, thousands } from '../../plain-text.js';
import type { Comparison, Picture } from '../../report/result.js';
import type { ExperimentOptions } from '../options.js';
import { PAPER_IMAGES, paperShare } from '../paper/figures.js';
import { openPoints } from '../paper/open-points.js';
import { dataStatement, type DataFacts } from '../data-facts.js';
import type { CellResult, CollectedResult } from '../experiment.js';
import { modelCharts, modelsCharts } from './charts.js';
import { modelCurves, type ModelCurves, type PaperCurve } from './curves.js';
import type { MeasuredCurve, RobustnessFound } from './found.js';
import type { RobustnessPoint } from './measure.js';
import { PAPER_SERIES } from './series.js';
import { paperTables, severityTable } from './tables.js';

export function reportRobustness(results: readonly CellResult<RobustnessFound>[], options: ExperimentOptions): CollectedResult {
  const curves = results.flatMap(({ found }) => ('measurement' in found ? [found] : []));
  const models = modelCurves(curves);
  const own = models.filter(({ imported }) => !imported);
  const others = PERTURBATION_TYPES.length - PAPER_SERIES.length;
  return {
    title: 'Robustness',
    summary:
      `Images are turned, brightened, darkened and spoilt in ${others} other ways, and classified again. The paper counts how many of ${PAPER_IMAGES} images, three a class ` +
      'and all right when left alone, stay right. Beside that protocol: the same with other images, drawn again and again; all images that are right when left alone; and the accuracy on the whole split.',
    statements: [
      dataStatement(results[0].data),
      ...models.map(modelStatement),
      ...measuringStatement(curves),
      "The images behind a figure and the weights are others than the paper's.",
    ],
    comparisons: own.flatMap((model) =>
      model.paper.flatMap((curve) => comparisons(model.name, curve, results[0].data, { draws: options.draws, named: own.length > 1 })),
    ),
    tables: [...paperTables(models), ...severityTable(models)],
    charts: [...models.flatMap((model) => modelCharts(model, models.length > 1)), ...modelsCharts(models)],
    pictures: results.flatMap(({ found }): Picture[] => ('pictures' in found ? found.pictures : [])),
    seeds: [options.seeds[0]],
    openPoints: openPoints(['rotation', 'brightness', 'twentyOne', 'intervals']),
  };
}

function modelStatement({ name, imported, width, parameters, inputSize, clean, split }: ModelCurves): string {
  const interval = clean.interval.map(inPercent).join(' to ');
  return (
    `${name}${imported ? " (another project's model, imported)" : ''}: ${width}, ${thousands(parameters)} parameters, input ${inputSize}x${inputSize}; ` +
    `${percent(clean.share)} (${interval}) of the ${thousands(clean.n)} unchanged images of ${split} are right.`
  );
}

function measuringStatement(curves: readonly MeasuredCurve[]): string[] {
  if (curves.length === 0) return [];
  const sum = (key: 'images' | 'seconds'): number => curves.reduce((total, { measurement }) => total + measurement[key], 0);
  return [`${thousands(sum('images'))} images perturbed and classified in ${sum('seconds').toFixed(1)} s.`];
}

function comparisons(
  model: string,
  { series, points }: PaperCurve,
  { synthetic, size }: DataFacts,
  { draws, named }: { draws: number; named: boolean },
): Comparison[] {
  return points.flatMap((point): Comparison[] => {
    if (!point.paper) return [];
    const { share: value, interval, n } = point.protocol;
    const remark = series.remark?.(point.value, size);
    return [
      {
        id: `robustness-${model}-${series.id}-${point.value}`,
        place: series.place,
        name: `Still right at ${series.type} ${point.label}${named ? `, ${model}` : ''}`,
        format: 'percent',
        paper: paperShare(point.paper),
        ours: { value, interval, n },
        why: synthetic
          ? 'Measured on synthetic faces: not comparable.'
          : [whyShare(point, point.paper.k / PAPER_IMAGES, draws), ...(remark ? [remark] : [])].join(' '),
      },
    ];
  });
}

function whyShare({ draws, kept }: RobustnessPoint, paper: number, count: number): string {
  const where = paper < draws.low ? 'below' : paper > draws.high ? 'above' : 'within';
  const range = `${inPercent(draws.low)} to ${percent(draws.high)} of ${thousands(count)} draws of images (mean ${inPercent(draws.mean)})`;
  return `The paper's figure lies ${where} the ${range}. Of all ${thousands(kept.pooled.n)} right images ${percent(kept.pooled.share)} stay right.`;
}
