/** Running experiments: cells over devices, results on disk as they come, and one result an experiment at the end. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FerError, invalidArgument } from '../../errors.js';
import type { LabelledImages } from '../../data/data-set.js';
import { nearest } from '../../nearest.js';
import { MiniXception } from '../../model.js';
import type { Environment, Report } from '../../report/result.js';
import { environment } from './environment.js';
import { resolveDevice, type Device } from '../../device.js';
import { dataFacts } from '../data-facts.js';
import type { Cell, CellContext, CellResult, Experiment } from '../experiment.js';
import { ExperimentFolder } from './folder.js';
import type { ExperimentOptions } from '../options.js';
import { loadExperiment } from '../registry.js';
import { differences, readRunConfig } from '../training/cell.js';

export interface ExperimentProgress {
  /** Such as "width/narrow-paper-0". */
  cell: string;
  text: string;
  /** Cells. */
  done: number;
  total: number;
  /** Of all cells together; estimated from a few measured steps, corrected by what has run. */
  secondsLeft: number;
}

export interface RunOptions extends Partial<ExperimentOptions> {
  /** Where cells are kept; a folder that holds some goes on with what is missing. */
  folder: string;
  /** Each works on one cell at a time. Default one, "cpu". */
  devices?: Device[];
  /** CPU threads of each; 0, the default, means one a core. */
  threads?: number;
  /** Run only these cells, "<experiment>/<cell>" or their numbers in the plan. Default all. */
  only?: string[];
  /** Folders of finished training runs; the cells with their configuration are taken over instead of trained. */
  reuse?: string[];
  /** Path of the data set, kept in the plan so that other processes find it. */
  dataPath?: string;
  /** Finishes the running steps, saves, and ends with `aborted: true`. */
  signal?: AbortSignal;
  onProgress?: (progress: ExperimentProgress) => void;
  /** A cell ended; 0 seconds: it was taken over from a finished training. */
  onCell?: (cell: string, seconds: number) => void;
}

export interface RunOutcome extends Report {
  aborted: boolean;
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
  const loaded = await Promise.all(experiments.map(loadExperiment));
  const cells = loaded.flatMap((experiment) =>
    experiment.cells(options).map((cell): PlannedCell => ({ id: `${experiment.name}/${cell.id}`, experiment, cell })),
  );
  const names = [...new Set(cells.flatMap(({ cell }) => (cell.config ? (cell.names ?? []) : []))), 'all'];
  for (const name of Object.keys(options.epochs))
    if (!names.includes(name)) invalidArgument('epochs', `${names.join(', ')} (nearest: ${nearest(name, names)})`, name);
  return cells;
}

/** The cells that `only` asks for. */
export function chosenCells(cells: PlannedCell[], only: readonly string[] | undefined): PlannedCell[] {
  if (!only) return cells;
  return only.map((wanted) => {
    const found = /^\d+$/.test(wanted) ? cells[Number(wanted)] : cells.find(({ id }) => id === wanted);
    if (found) return found;
    const ids = cells.map(({ id }) => id);
    return invalidArgument('cell', `a number from 0 to ${cells.length - 1} or an id such as ${nearest(wanted, ids)}`, wanted);
  });
}

/** Runs what is missing of the named experiments, and gives the result of each. */
export async function runExperiments(experiments: string[], data: LabelledImages, run: RunOptions): Promise<RunOutcome> {
  const { folder: folderPath, devices, threads, only, reuse, dataPath, signal, onProgress, onCell, ...given } = run;
  const folder = await ExperimentFolder.open(folderPath, experiments, given, dataPath);
  const { options } = folder.plan;
  const all = await plannedCells(experiments, options);
  const context = (device: Device): Omit<CellContext, 'folder'> => ({ data, options, device, threads: threads ?? 0, signal });
  const work = new Work(folder, data, devices?.length ? devices : [resolveDevice({}).device], context, { onProgress, onCell });
  for (const runFolder of reuse ?? []) await work.adopt(all, runFolder);
  const aborted = await work.run(chosenCells(all, only));
  return { ...(await collectResults(folder)), aborted };
}

/** A cell that runs, and others that the same training answers. */
interface Shared {
  first: PlannedCell;
  others: PlannedCell[];
}

function sameTraining(a: PlannedCell, b: PlannedCell): boolean {
  const [one, other] = [a.cell.config, b.cell.config];
  return one !== undefined && other !== undefined && differences(one, other).length === 0;
}

class Work {
  private readonly estimates = new Map<string, number>();
  private readonly fractions = new Map<string, number>();
  private readonly started = performance.now();
  private readonly stop = new AbortController();
  private failure: unknown;

  constructor(
    private readonly folder: ExperimentFolder,
    private readonly data: LabelledImages,
    private readonly devices: Device[],
    private readonly context: (device: Device) => Omit<CellContext, 'folder'>,
    private readonly tell: Pick<RunOptions, 'onProgress' | 'onCell'>,
  ) {}

  /** True when the signal ended it before everything was done. */
  async run(cells: PlannedCell[]): Promise<boolean> {
    const pending: PlannedCell[] = [];
    const done: PlannedCell[] = [];
    for (const planned of cells) ((await this.finished(planned)) ? done : pending).push(planned);
    const queue: Shared[] = [];
    for (const planned of pending) {
      const twin = done.find((other) => sameTraining(planned, other));
      const queued = queue.find(({ first }) => sameTraining(planned, first));
      if (twin) await this.share(twin, planned);
      else if (queued) queued.others.push(planned);
      else queue.push({ first: planned, others: [] });
    }
    const context = this.context(this.devices[0]);
    for (const { first } of queue) {
      if (context.signal?.aborted) return true;
      this.estimates.set(first.id, await first.experiment.estimate(first.cell, { ...context, folder: this.folder.path }));
    }
    // One device takes short cells first, so that there is something to see early; several take long ones first, so that they end together.
    const order = this.devices.length > 1 ? -1 : 1;
    queue.sort((a, b) => order * (this.estimates.get(a.first.id)! - this.estimates.get(b.first.id)!));
    const total = queue.length;
    const ended = await Promise.all(this.devices.map((device) => this.worker(device, queue, total)));
    if (this.failure) throw this.failure;
    return ended.includes(false);
  }

  /** Takes cells until there are none; false when stopped. */
  private async worker(device: Device, queue: Shared[], total: number): Promise<boolean> {
    const given = this.context(device);
    const signal = AbortSignal.any([this.stop.signal, ...(given.signal ? [given.signal] : [])]);
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (signal.aborted) return false;
      const started = performance.now();
      const { id } = next.first;
      const onProgress = (fraction: number, text: string): void => {
        this.fractions.set(id, fraction);
        this.tell.onProgress?.({ cell: id, text, total, done: this.doneCount(), secondsLeft: this.secondsLeft() });
      };
      onProgress(0, 'starting');
      try {
        if (!(await this.runCell(next.first, { ...given, signal, onProgress }))) return false;
        for (const other of next.others) await this.share(next.first, other);
      } catch (error) {
        // The other devices finish their step and save.
        this.failure ??= error;
        this.stop.abort();
        return false;
      }
      onProgress(1, 'done');
      this.tell.onCell?.(id, (performance.now() - started) / 1000);
    }
    return true;
  }

  /** One training stands for every cell of its configuration, whichever experiment it belongs to. */
  private async share(from: PlannedCell, to: PlannedCell): Promise<void> {
    const result = (await this.folder.readCell(from.experiment.name, from.cell.id))!;
    await this.folder.writeCell(to.experiment.name, { ...result, cell: to.cell });
    this.tell.onCell?.(to.id, 0);
  }

  private async runCell({ experiment, cell }: PlannedCell, context: Omit<CellContext, 'folder'>): Promise<boolean> {
    const cellFolder = this.folder.cellFolder(experiment.name, cell.id);
    const found = await experiment.runCell(cell, { ...context, folder: cellFolder });
    if (found === undefined) return false;
    using model = MiniXception.create({ device: context.device, threads: context.threads });
    const where = await environment(model.deviceDescription);
    await this.folder.writeCell(experiment.name, { cell, found, environment: where, data: dataFacts(this.data) });
    return true;
  }

  /** Takes a finished training run over for every cell of its configuration. */
  async adopt(cells: PlannedCell[], runFolder: string): Promise<void> {
    const trains = cells.filter(({ cell, experiment }) => cell.config && experiment.adopt);
    let config;
    try {
      config = await readRunConfig(runFolder);
    } catch (cause) {
      throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} holds no training run: ${(cause as Error).message}`, { cause });
    }
    const matching = trains.filter(({ cell }) => differences(cell.config!, config).length === 0);
    if (matching.length === 0) {
      const closest = trains
        .map(({ id, cell }) => ({ id, other: differences(cell.config!, config) }))
        .sort((a, b) => a.other.length - b.other.length)[0];
      const hint = closest ? `; the closest, ${closest.id}, differs in ${closest.other.join(', ')}` : '';
      throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} is the configuration of no cell${hint}`, { details: { runFolder } });
    }
    for (const { id, experiment, cell } of matching) {
      if (await this.finished({ id, experiment, cell })) continue;
      const found = await experiment.adopt!(cell, runFolder, this.context(this.devices[0]));
      await this.folder.writeCell(experiment.name, { cell, found, reused: shownPath(runFolder), data: dataFacts(this.data) });
      this.tell.onCell?.(id, 0);
    }
  }

  /** Whether the cell's result is there; then it must come from the same data. */
  private async finished({ id, experiment, cell }: PlannedCell): Promise<boolean> {
    const stored = await this.folder.readCell(experiment.name, cell.id);
    if (!stored) return false;
    const facts = dataFacts(this.data);
    if (!isDeepStrictEqual(stored.data, facts))
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${this.folder.path} was begun on ${stored.data.name} ${stored.data.source}, and ${id} cannot be joined by cells on ${facts.name} ${facts.source}`,
        { details: { folder: this.folder.path } },
      );
    return true;
  }

  private doneCount(): number {
    return [...this.fractions.values()].filter((fraction) => fraction === 1).length;
  }

  private secondsLeft(): number {
    let estimated = 0;
    let done = 0;
    for (const [id, seconds] of this.estimates) {
      estimated += seconds;
      done += seconds * (this.fractions.get(id) ?? 0);
    }
    const elapsed = (performance.now() - this.started) / 1000;
    // Until something has run, the estimate is all there is.
    const pace = done > estimated / 50 ? elapsed / done : 1 / this.devices.length;
    return (estimated - done) * pace;
  }
}

/** As seen from here, or its name alone: a report tells nothing of the folders of a machine. */
function shownPath(folder: string): string {
  const relative = path.relative('.', folder);
  return relative.startsWith('..') || path.isAbsolute(relative) ? path.basename(folder) : relative;
}

/** One result an experiment, from the cells that have finished. */
async function collectResults(folder: ExperimentFolder): Promise<Report> {
  const { experiments, options } = folder.plan;
  const report: Report = { results: [], missing: [] };
  for (const name of experiments) {
    const experiment = await loadExperiment(name);
    const found: CellResult[] = [];
    const missing: string[] = [];
    for (const cell of experiment.cells(options)) {
      const result = await folder.readCell(name, cell.id);
      if (result) found.push(result);
      else missing.push(`${name}/${cell.id}`);
    }
    report.missing.push(...missing);
    if (found.length > 0)
      report.results.push({ ...experiment.collect(found, options), environments: differingEnvironments(found), missing });
  }
  return report;
}

function differingEnvironments(results: readonly CellResult[]): Environment[] {
  const environments = new Map<string, Environment>();
  for (const { environment: where } of results) if (where) environments.set(JSON.stringify(where), where);
  return [...environments.values()];
}

/** Result of the cells in a folder, whoever ran them; nothing is run. */
export async function collectExperiments(folder: string): Promise<Report> {
  return collectResults(await ExperimentFolder.existing(folder));
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
  const context: CellContext = { data, options, folder: '', device: place.device ?? 'cpu', threads: place.threads ?? 0 };
  const estimates: PlanEstimate[] = [];
  for (const { id, experiment, cell } of await plannedCells(experiments, options))
    estimates.push({ id, title: cell.title, seconds: await experiment.estimate(cell, context) });
  return estimates;
}
