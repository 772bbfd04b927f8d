/** What the experiments that train say alike: what was run, the curves, and why a figure is not the paper's. */
import type { Estimate } from '../../charts/experiments.js';
import type { Figure, Table } from '../../report/result.js';
import { PRESETS } from '../../training/presets.js';
import { dataStatement } from '../data-facts.js';
import type { CollectedResult } from '../experiment.js';
import { openPoints, TRAINING_POINTS } from '../paper/open-points.js';
import { accuracyChart, curveCharts, ownEstimates } from './charts.js';
import type { Group, TrainedCell } from './groups.js';
import { seedsTable } from './tables.js';

interface Parts extends Pick<CollectedResult, 'title' | 'summary' | 'comparisons'> {
  /** Of all results. */
  groups: readonly Group[];
  /** Epochs of a group before they were cut short. */
  fullEpochs: (group: Group) => number;
  table: Table;
  /** The paper's accuracies. */
  paper: Estimate[];
}

export function trainedResult(results: readonly TrainedCell[], parts: Parts): CollectedResult {
  const { title, summary, comparisons, groups, fullEpochs, table, paper } = parts;
  return {
    title,
    summary,
    statements: [dataStatement(results[0].data), ...groups.map((group) => runStatement(group, fullEpochs(group)))],
    comparisons,
    tables: [table, ...seedsTable(`${table.id}-seeds`, 'Accuracy over seeds.', groups)],
    charts: [...curveCharts(groups), accuracyChart([...paper, ...ownEstimates(groups)])],
    pictures: [],
    seeds: [...new Set(results.map(({ found }) => found.config.seed))],
    openPoints: openPoints(TRAINING_POINTS),
  };
}

/** What was run at which length and where, a sentence a group. */
function runStatement({ name, cells }: Group, fullEpochs: number): string {
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
  return `${name}: ${length}, batch ${config.batchSize}, learning rate ${config.learningRate}, preset ${config.preset}, ${config.precision}, seed ${seeds}; ${where}.${trouble.join('')}`;
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
