/** What there is to run: the cells of the experiments named, in their order, and how long they will take. */
import type { LabelledImages } from '../../data/data-set.js';
import { resolveDevice, type Device } from '../../device.js';
import { invalidArgument } from '../../errors.js';
import { suggestion } from '../../suggestion.js';
import type { Cell, CellContext, Experiment } from '../experiment.js';
import type { ExperimentOptions } from '../options.js';
import { loadExperiment } from '../registry.js';

/** What the plan's file says of its own form. */
export const PLAN_FORMAT = 1;

/** What is to be run, as a folder keeps it. */
export interface Plan {
  experiments: string[];
  options: ExperimentOptions;
  /** Path of the data set as given; absent: the synthetic faces. */
  data?: string;
}

/** A cell with the experiment that it belongs to. */
export interface PlannedCell {
  /** "<experiment>/<cell>" */
  id: string;
  experiment: Experiment;
  cell: Cell;
}

/**
 * All cells of the named experiments, in the order in which they run.
 * @throws {FerError} ERR_FER_ARGUMENT when `epochs` names a cell that there is not.
 */
export async function plannedCells(experiments: readonly string[], options: ExperimentOptions): Promise<PlannedCell[]> {
  const planned = experiments.map(async (name) => {
    const experiment = await loadExperiment(name);
    return experiment.cells(options).map((cell): PlannedCell => ({ id: `${name}/${cell.id}`, experiment, cell }));
  });
  const cells = (await Promise.all(planned)).flat();
  const names = [...new Set(cells.flatMap(({ cell }) => (cell.config ? (cell.names ?? []) : []))), 'all'];
  for (const name of Object.keys(options.epochs))
    if (!names.includes(name)) invalidArgument('epochs', `${names.join(', ')} (nearest: ${suggestion(name, names)})`, name);
  return cells;
}

/** The cells that `only` asks for. */
export function chosenCells(cells: PlannedCell[], only: readonly string[] | undefined): PlannedCell[] {
  if (!only) return cells;
  return only.map((wanted) => {
    const found = /^\d+$/.test(wanted) ? cells[Number(wanted)] : cells.find(({ id }) => id === wanted);
    if (found) return found;
    const ids = cells.map(({ id }) => id);
    return invalidArgument('cell', `a number from 0 to ${cells.length - 1} or an id such as ${suggestion(wanted, ids)}`, wanted);
  });
}

export interface PlanEstimate {
  id: string;
  title: string;
  seconds: number;
}

/** What a run would do and how long it would take on this machine, measured by a few steps of each network; runs no cell. */
export async function estimateExperiments(
  experiments: string[],
  data: LabelledImages,
  options: ExperimentOptions,
  place: { device?: Device; threads?: number } = {},
): Promise<PlanEstimate[]> {
  const context: CellContext = { data, options, folder: '', device: place.device ?? resolveDevice({}).device, threads: place.threads ?? 0 };
  const estimates: PlanEstimate[] = [];
  for (const { id, experiment, cell } of await plannedCells(experiments, options))
    estimates.push({ id, title: cell.title, seconds: await experiment.estimate(cell, context) });
  return estimates;
}
