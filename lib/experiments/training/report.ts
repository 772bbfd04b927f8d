/** What the experiments that train say about their cells: rows, means over seeds, and why a figure is not the paper's. */
import { curvesChart, estimatesChart, type Estimate } from '../../charts/experiments.js';
import { wilsonInterval } from '../../metrics/index.js';
import { percent } from '../../report/format.js';
import type { Chart, Column, Figure, Table } from '../../report/result.js';
import { PRESETS } from '../../training/presets.js';
import type { CellResult } from '../experiment.js';
import { mean, deviation } from '../statistics.js';
import type { Trained } from './cell.js';

export type TrainedCell = CellResult<Trained>;

/** Cells that differ in their seed alone. */
export interface Group {
  name: string;
  cells: TrainedCell[];
}

export function groupsOf(results: readonly TrainedCell[], nameOf: (result: TrainedCell) => string): Group[] {
  const groups = new Map<string, TrainedCell[]>();
  for (const result of results) groups.set(nameOf(result), [...(groups.get(nameOf(result)) ?? []), result]);
  return [...groups].map(([name, cells]) => ({ name, cells }));
}

/** Seconds for one pass over the training split: the median epoch. */
export function secondsAnEpoch({ found, data }: TrainedCell): number | undefined {
  const images = data.splits.Training;
  const seconds = found.rows.map((row) => images / row.imagesPerSecond).sort((a, b) => a - b);
  return seconds.length > 0 ? seconds[Math.floor((seconds.length - 1) / 2)] : undefined;
}

export const accuracyOf = ({ found }: TrainedCell): number | undefined => found.evaluation?.accuracy;

const numbers = (values: (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

/** A group's figure: of its one seed with the interval, or the mean over seeds. */
export function figureOf({ cells }: Group, pick: (cell: TrainedCell) => number | undefined, withInterval = false): Figure | undefined {
  const values = numbers(cells.map(pick));
  if (values.length === 0) return undefined;
  const n = cells.find(({ found }) => found.evaluation)?.found.evaluation?.n;
  if (values.length > 1) return { value: mean(values), n, seeds: values.length, deviation: deviation(values) };
  return withInterval && n !== undefined
    ? { value: values[0], interval: wilsonInterval(Math.round(values[0] * n), n), n }
    : { value: values[0] };
}

export const RESULT_COLUMNS: Column[] = [
  { key: 'epochs', title: 'epochs', format: 'count' },
  { key: 'accuracy', title: 'accuracy', format: 'percent' },
  { key: 'interval', title: '95 % interval', format: 'interval' },
  { key: 'n', title: 'n', format: 'count' },
  { key: 'macroPrecision', title: 'macro precision', format: 'percent' },
  { key: 'macroRecall', title: 'macro recall', format: 'percent' },
  { key: 'validationAccuracy', title: 'validation accuracy', format: 'percent' },
  { key: 'secondsAnEpoch', title: 'an epoch', format: 'seconds' },
];

/** The values of `RESULT_COLUMNS`. */
export function resultRow(cell: TrainedCell): Table['rows'][number] {
  const { found } = cell;
  const { evaluation } = found;
  return {
    epochs: found.rows.length,
    accuracy: evaluation?.accuracy ?? null,
    interval: evaluation?.accuracyInterval ?? null,
    n: evaluation?.n ?? null,
    macroPrecision: evaluation?.macroPrecision ?? null,
    macroRecall: evaluation?.macroRecall ?? null,
    validationAccuracy: evaluation ? found.chosen.accuracy : null,
    secondsAnEpoch: secondsAnEpoch(cell) ?? null,
  };
}

/** Means over seeds; only where there are several. */
export function seedsTable(id: string, caption: string, groups: readonly Group[]): Table[] {
  if (groups.every(({ cells }) => cells.length < 2)) return [];
  return [
    {
      id,
      caption,
      columns: [
        { key: 'name', title: '', format: 'text' },
        { key: 'seeds', title: 'seeds', format: 'count' },
        { key: 'accuracy', title: 'mean accuracy', format: 'percent' },
        { key: 'deviation', title: '± standard deviation', format: 'percent' },
        { key: 'each', title: 'each, in %', format: 'text' },
      ],
      rows: groups.map(({ name, cells }) => {
        const values = numbers(cells.map(accuracyOf));
        return {
          name,
          seeds: values.length,
          accuracy: values.length > 0 ? mean(values) : null,
          deviation: values.length > 1 ? deviation(values) : null,
          each: values.map(percent).join(', '),
        };
      }),
    },
  ];
}

/** Validation accuracy and training loss over the epochs; the first seed of each group. */
export function curveCharts(groups: readonly Group[]): Chart[] {
  const curves = (pick: (row: Trained['rows'][number]) => number) =>
    groups.map(({ name, cells }) => ({ name, points: cells[0].found.rows.map((row) => ({ x: row.epoch, y: pick(row) })) }));
  const ends = (pick: (row: Trained['rows'][number]) => string): string =>
    groups
      .filter(({ cells }) => cells[0].found.rows.length > 0)
      .map(({ name, cells }) => `${name} ends at ${pick(cells[0].found.rows.at(-1)!)} after ${cells[0].found.rows.length} epochs`)
      .join('; ');
  return [
    {
      id: 'validation-accuracy',
      caption: 'Learning curves: accuracy on the validation images (PublicTest, where there is one) after every epoch.',
      alt: `Line chart of validation accuracy over epochs: ${ends((row) => `${percent(row.validationAccuracy)} %`)}.`,
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
  const words = estimates.map(({ name, source, value }) => `${name}, ${source}: ${percent(value)} %`).join('; ');
  return {
    id: 'accuracy',
    caption: 'Accuracy on the test split with 95 % Wilson intervals, beside the paper.',
    alt: `Accuracies with intervals. ${words}.`,
    spec: estimatesChart(estimates, 'accuracy, %'),
  };
}

/** What was run at which length and where, a sentence a group. */
export function runStatement({ name, cells }: Group, fullEpochs: number): string {
  const { found, environment, reused } = cells[0];
  const { config } = found;
  const ran = [...new Set(cells.map((cell) => cell.found.rows.length))].join(' or ');
  const full = config.epochs === fullEpochs && cells.every((cell) => cell.found.rows.length === fullEpochs);
  const length = full ? `all ${fullEpochs} epochs` : `${ran} of ${fullEpochs} epochs, nothing extrapolated`;
  const where = reused
    ? `taken over from the finished run ${reused}, whose machine is not on record`
    : `run on ${environment?.device ?? 'an unrecorded device'}`;
  const seeds = cells.map((cell) => cell.found.config.seed).join(', ');
  const trouble = cells.flatMap((cell) => (cell.found.diverged ? [` Diverged: ${cell.found.diverged}.`] : []));
  return `${name}: ${length}, batch ${config.batchSize}, learning rate ${config.learningRate}, preset ${config.preset}, seed ${seeds}; ${where}.${trouble.join('')}`;
}

/** Why an accuracy, precision or recall is not the paper's. */
export function whyFigure(group: Group | undefined, paper: Figure, ours: Figure | undefined, fullEpochs: number): string {
  if (!group || !ours) return 'Not run here.';
  const { found, data } = group.cells[0];
  if (data.synthetic) return 'Measured on synthetic faces: not comparable.';
  const reasons: string[] = [];
  if (ours.interval) {
    const [low, high] = ours.interval;
    reasons.push(`The paper's figure lies ${paper.value < low ? 'below' : paper.value > high ? 'above' : 'within'} our interval.`);
  }
  if (found.rows.length < fullEpochs) reasons.push(`Trained for ${found.rows.length} of the paper's ${fullEpochs} epochs.`);
  const { preset } = found.config;
  reasons.push(
    preset === 'paper'
      ? 'Same batch, learning rate and schedule family; optimiser, momentum, plateau rule and initialisation are not printed and may differ.'
      : `Preset ${preset}: ${PRESETS[preset].describe}.`,
  );
  reasons.push(ours.seeds ? `Mean of ${ours.seeds} seeds.` : 'One seed on either side.');
  return reasons.join(' ');
}
