/** Trained cells in groups that differ in their seed alone, and a group's figures. */
import { wilsonInterval } from '../../metrics/index.js';
import type { Figure } from '../../report/result.js';
import type { CellResult } from '../experiment.js';
import { deviation, mean } from '../statistics.js';
import type { Trained, TrainingCell } from './found.js';

export type TrainedCell = CellResult<Trained, TrainingCell>;

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

/** Those that there are. */
export const numbers = (values: (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

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
