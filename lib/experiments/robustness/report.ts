/** Experiment 3 in tables, charts and comparisons. */
import { bandsChart, heatmapChart } from '../../charts/experiments.js';
import { wilsonInterval } from '../../metrics/index.js';
import type { Chart, Comparison, ExperimentResult, Figure, Picture, Table } from '../../report/result.js';
import type { CellResult, DataFacts } from '../experiment.js';
import { openPoints } from '../paper/open-points.js';
import type { ExperimentOptions } from '../options.js';
import type { MeasuredCurve, RobustnessFound } from './robustness.js';
import type { MeasuredSeries, PaperPoint, RobustnessPoint } from './measure.js';
import { dataStatement } from '../training/report.js';

/** The paper's images behind each figure: three a class. */
const PAPER_IMAGES = 21;

const percent = (value: number): string => (value * 100).toFixed(1);
const thousands = (value: number): string => value.toLocaleString('en-US');

/** Everything measured of one model. */
interface ModelCurves {
  name: string;
  curves: MeasuredCurve[];
}

export function reportRobustness(
  results: readonly CellResult<RobustnessFound>[],
  options: ExperimentOptions,
): Omit<ExperimentResult, 'missing' | 'environments'> {
  const curves = results.flatMap(({ found }) => ('measurement' in found ? [found] : []));
  const pictures = results.flatMap(({ found }): Picture[] => ('pictures' in found ? found.pictures : []));
  const names = [...new Set(curves.map(({ model }) => model.name))];
  const models = names.map((name): ModelCurves => ({ name, curves: curves.filter(({ model }) => model.name === name) }));
  const own = models.filter(({ curves: [{ model }] }) => !model.imported);
  return {
    experiment: 'robustness',
    title: 'Robustness',
    summary:
      'Images are turned, brightened, darkened and spoilt in eleven other ways, and classified again. The paper counts how many of 21 images, three a class ' +
      'and all right when left alone, stay right. Beside that protocol: the same with other images, drawn again and again; all images that are right when left alone; and the accuracy on the whole split.',
    statements: [
      dataStatement(results[0].data),
      ...models.map(modelStatement),
      ...measuringStatement(curves),
      "The images behind a figure and the weights are others than the paper's.",
    ],
    comparisons: own.flatMap((model) =>
      paperSeries(model).flatMap((series) =>
        comparisons(model.name, series, results[0].data, { draws: options.draws, named: own.length > 1 }),
      ),
    ),
    tables: [...paperTables(models), ...severityTable(models)],
    charts: [...models.flatMap((model) => charts(model, models.length > 1)), ...modelCharts(models)],
    pictures,
    seeds: [options.seeds[0]],
    openPoints: openPoints(['rotation', 'brightness', 'twentyOne', 'intervals']),
  };
}

const seriesOf = ({ curves }: ModelCurves): MeasuredSeries[] => curves.flatMap(({ measurement }) => measurement.series);
const isPaper = ({ points }: MeasuredSeries): boolean => points.some(({ paper }) => paper);
const paperSeries = (model: ModelCurves): MeasuredSeries[] => seriesOf(model).filter(isPaper);

function modelStatement({ name, curves }: ModelCurves): string {
  const { model, measurement } = curves[0];
  const { clean, split } = measurement;
  const interval = clean.interval.map(percent).join(' to ');
  return (
    `${name}${model.imported ? " (another project's model, imported)" : ''}: ${model.width}, ${thousands(model.parameters)} parameters, input ${model.inputSize}x${model.inputSize}; ` +
    `${percent(clean.share)} % (${interval}) of the ${thousands(clean.n)} unchanged images of ${split} are right.`
  );
}

function measuringStatement(curves: readonly MeasuredCurve[]): string[] {
  if (curves.length === 0) return [];
  const sum = (key: 'images' | 'seconds'): number => curves.reduce((total, { measurement }) => total + measurement[key], 0);
  return [`${thousands(sum('images'))} images perturbed and classified in ${sum('seconds').toFixed(1)} s.`];
}

/** As printed; the interval is that of the k behind it. */
const paperFigure = ({ k, share: value, bound }: PaperPoint): Figure =>
  bound ? { value, n: PAPER_IMAGES, below: true } : { value, n: PAPER_IMAGES, interval: wilsonInterval(k, PAPER_IMAGES) };

function comparisons(
  model: string,
  series: MeasuredSeries,
  { synthetic, size }: DataFacts,
  { draws, named }: { draws: number; named: boolean },
): Comparison[] {
  const place = series.type === 'rotation' ? 'Table 3' : 'Table 4';
  return series.points.flatMap((point): Comparison[] => {
    if (!point.paper) return [];
    const { share: value, interval, n } = point.protocol;
    return [
      {
        id: `robustness-${model}-${series.id}-${point.value}`,
        place,
        name: `Still right at ${series.type} ${point.label}${named ? `, ${model}` : ''}`,
        format: 'percent',
        paper: paperFigure(point.paper),
        ours: { value, interval, n },
        why: synthetic ? 'Measured on synthetic faces: not comparable.' : whyShare(point, draws, size),
      },
    ];
  });
}

function whyShare({ paper, draws, kept, perturbation }: RobustnessPoint, count: number, size: number): string {
  const value = paper!.k / PAPER_IMAGES;
  const where = value < draws.low ? 'below' : value > draws.high ? 'above' : 'within';
  const range = `${percent(draws.low)} to ${percent(draws.high)} % of ${thousands(count)} draws of images (mean ${percent(draws.mean)})`;
  const all = `Of all ${thousands(kept.pooled.n)} right images ${percent(kept.pooled.share)} % stay right.`;
  const still = perturbation.type === 'rotation' && movesNothing(perturbation.degrees, size);
  const unchanged = ` Read to the nearest pixel, a ${size}x${size} image does not change at this angle; the paper must have read or sized it otherwise.`;
  return `The paper's figure lies ${where} the ${range}. ${all}${still ? unchanged : ''}`;
}

/** Whether a rotation moves even a corner by less than half a pixel along either axis. */
function movesNothing(degrees: number, size: number): boolean {
  const angle = (degrees * Math.PI) / 180;
  return ((size - 1) / 2) * (Math.sin(angle) + 1 - Math.cos(angle)) < 0.5;
}

function paperTables(models: readonly ModelCurves[]): Table[] {
  const ids = [...new Set(models.flatMap((model) => paperSeries(model).map(({ id }) => id)))];
  return ids.map((id): Table => {
    const rows = models.flatMap((model) =>
      paperSeries(model)
        .filter((series) => series.id === id)
        .flatMap(({ points }) => points.map((point) => paperRow(model.name, point))),
    );
    const { type } = models.flatMap(paperSeries).find((series) => series.id === id)!;
    return {
      id: id.replace('paper-', ''),
      caption: `Images still right after ${type === 'rotation' ? "rotation (the paper's Table 3)" : "a change of brightness (the paper's Table 4)"}.`,
      columns: [
        ...(models.length > 1 ? [{ key: 'model', title: 'model', format: 'text' as const }] : []),
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
      rows,
    };
  });
}

function paperRow(model: string, { label, paper, protocol, draws, kept, accuracy }: RobustnessPoint): Table['rows'][number] {
  return {
    model,
    setting: label,
    paper: paper ? `${paper.bound ? '< ' : ''}${percent(paper.share)}` : '–',
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

const severitySeries = (model: ModelCurves): MeasuredSeries[] => seriesOf(model).filter((series) => !isPaper(series));
const average = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function severityTable(models: readonly ModelCurves[]): Table[] {
  if (models.every((model) => severitySeries(model).length === 0)) return [];
  const { n } = models[0].curves[0].measurement.clean;
  return [
    {
      id: 'severities',
      caption: `Accuracy on the whole split (n = ${thousands(n)}; intervals at most ±1.7 points at n = 3,589) under every perturbation at its five severities, and the share of right images that stay right, averaged over the severities.`,
      columns: [
        ...(models.length > 1 ? [{ key: 'model', title: 'model', format: 'text' as const }] : []),
        { key: 'perturbation', title: 'perturbation', format: 'text' },
        ...[1, 2, 3, 4, 5].map((severity) => ({ key: `severity${severity}`, title: `severity ${severity}`, format: 'percent' as const })),
        { key: 'mean', title: 'mean', format: 'percent' },
        { key: 'kept', title: 'stay right, mean', format: 'percent' },
      ],
      rows: models.flatMap((model) =>
        severitySeries(model).map(({ title, points }) => ({
          model: model.name,
          perturbation: title,
          ...Object.fromEntries(points.map(({ severity, accuracy }) => [`severity${severity}`, accuracy.share])),
          mean: average(points.map(({ accuracy }) => accuracy.share)),
          kept: average(points.map(({ kept }) => kept.pooled.share)),
        })),
      ),
    },
  ];
}

function charts(model: ModelCurves, named: boolean): Chart[] {
  const suffix = named ? `-${model.name}` : '';
  const whose = named ? ` of ${model.name}` : '';
  const severities = severitySeries(model);
  return [
    ...paperSeries(model).map((series): Chart => {
      const kind = series.type === 'rotation' ? 'rotation' : 'brightness';
      const words = series.points.map(
        ({ label, kept, paper }) => `${label} ${percent(kept.pooled.share)}${paper ? `, paper ${percent(paper.share)}` : ''}`,
      );
      return {
        id: `${series.id.replace('paper-', '')}${suffix}`,
        caption: `Robustness${whose} against ${kind}: bands are 95 % intervals, for the draws the middle 95 % of them; diamonds are the paper's figures with the intervals that 21 images allow.`,
        alt: `Line chart, share still right in % by ${kind}. ${words.join('; ')}.`,
        spec: paperChart(series),
      };
    }),
    ...(severities.length > 0
      ? [
          {
            id: `severities${suffix}`,
            caption: `Accuracy${whose} on the whole split under every perturbation, from barely visible (1) to severe (5).`,
            alt: `Table of colours, accuracy in % by perturbation and severity. ${severities.map(({ title, points }) => `${title}: ${points.map(({ accuracy }) => percent(accuracy.share)).join(', ')}`).join('; ')}.`,
            spec: heatmapChart(
              severities.flatMap(({ title, points }) =>
                points.map(({ severity, accuracy }) => ({ row: title, column: String(severity), value: accuracy.share })),
              ),
              { row: '', column: 'severity', value: 'accuracy, %' },
            ),
          },
        ]
      : []),
  ];
}

/** Models against one another, on the whole split. */
function modelCharts(models: readonly ModelCurves[]): Chart[] {
  if (models.length < 2) return [];
  return (['rotation', 'brightness'] as const).flatMap((kind): Chart[] => {
    const curves = models.flatMap((model) =>
      paperSeries(model)
        .filter(({ type }) => type === kind)
        .flatMap(({ points }) =>
          points.map(({ value: x, accuracy: { share: value, interval } }) => ({ name: model.name, x, value, interval })),
        ),
    );
    if (curves.length === 0) return [];
    const words = models.map(({ name }) => {
      const own = curves.filter((point) => point.name === name);
      return `${name}: ${own.map(({ x, value }) => `${x} ${percent(value)}`).join(', ')}`;
    });
    return [
      {
        id: `models-${kind}`,
        caption: `The models compared: accuracy on the whole split by ${kind}, with 95 % intervals.`,
        alt: `Line chart, accuracy in % by ${kind}. ${words.join('; ')}.`,
        spec: bandsChart(curves, [], { x: kind === 'rotation' ? 'rotation, degrees' : 'brightness, factor', y: 'accuracy, %' }),
      },
    ];
  });
}

function paperChart(series: MeasuredSeries) {
  const line = (name: string, pick: (point: RobustnessPoint) => { value: number; interval: [number, number] }) =>
    series.points.map((point) => ({ name, x: point.value, ...pick(point) }));
  const share = ({ share: value, interval }: { share: number; interval: [number, number] }) => ({ value, interval });
  const overlay = series.points.flatMap(({ value: x, paper }) => {
    if (!paper) return [];
    const { value, interval } = paperFigure(paper);
    return [{ name: 'paper, 21 images', x, value, interval }];
  });
  return bandsChart(
    [
      ...line('21 images, drawn again', ({ draws }) => ({ value: draws.mean, interval: [draws.low, draws.high] })),
      ...line('all right images', ({ kept }) => share(kept.pooled)),
      ...line('whole split', ({ accuracy }) => share(accuracy)),
    ],
    overlay,
    { x: series.axis === 'degrees' ? 'rotation, degrees' : `${series.type}, ${series.axis}`, y: 'right, %' },
  );
}
