/** Trainings as tables: the columns that all share, and means over seeds. */
import { inPercent } from '../../plain-text.js';
import type { Column, Table } from '../../report/result.js';
import { deviation, mean } from '../statistics.js';
import { accuracyOf, numbers, secondsAnEpoch, type Group, type TrainedCell } from './groups.js';

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
          each: values.map(inPercent).join(', '),
        };
      }),
    },
  ];
}
