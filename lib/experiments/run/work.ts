/** Cells over devices: what is finished is left alone, one training answers every cell of its configuration, results are kept as they come. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { LabelledImages } from '../../data/data-set.js';
import type { Device } from '../../device.js';
import { FerError } from '../../errors.js';
import { heldBy, Lock } from '../../lock.js';
import { MiniXception } from '../../model.js';
import { warnOnce } from '../../warning.js';
import { dataFacts } from '../data-facts.js';
import type { CellContext } from '../experiment.js';
import { differences, readRunConfig } from '../training/adopt.js';
import { environment } from './environment.js';
import type { ExperimentFolder } from './folder.js';
import type { PlannedCell } from './plan.js';

/** How far experiments are. */
export interface ExperimentProgress {
  /** Such as "width/narrow-paper-0". */
  cell: string;
  /** What the cell is doing, in a few words. */
  text: string;
  /** Finished cells. */
  done: number;
  /** Cells of all experiments together. */
  total: number;
  /** Of all cells together; estimated from a few measured steps, corrected by what has run. */
  secondsLeft: number;
}

export interface Listeners {
  /** Called while cells run. */
  onProgress?: (progress: ExperimentProgress) => void;
  /** A cell ended; 0 seconds: it was taken over from a finished training. */
  onCell?: (cell: string, seconds: number) => void;
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

const isOutOfMemory = (error: unknown): boolean => error instanceof FerError && error.code === 'ERR_FER_OUT_OF_MEMORY';

export class Work {
  private readonly estimates = new Map<string, number>();
  private readonly fractions = new Map<string, number>();
  /** How many cells each device is working on. */
  private readonly working = new Map<Device, number>();
  private readonly started = performance.now();
  private readonly stop = new AbortController();
  private failure: unknown;

  constructor(
    private readonly folder: ExperimentFolder,
    private readonly data: LabelledImages,
    private readonly devices: Device[],
    private readonly context: (device: Device) => Omit<CellContext, 'folder'>,
    private readonly tell: Listeners,
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

  /** Takes cells until there are none, or no room for one more beside those that the device works on; false when stopped. */
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
      this.count(device, 1);
      try {
        const ended = await this.runAlone(next.first, { ...given, signal, onProgress });
        if (ended === 'stopped') return false;
        if (ended === 'elsewhere') continue;
        for (const other of next.others) await this.share(next.first, other);
      } catch (error) {
        if (isOutOfMemory(error) && this.working.get(device)! > 1) {
          warnOnce(`${device} has no room for ${id} beside the cells that it works on: it waits for one of them`);
          queue.unshift(next);
          return true;
        }
        // The other devices finish their step and save.
        this.failure ??= error;
        this.stop.abort();
        return false;
      } finally {
        this.count(device, -1);
      }
      onProgress(1, 'done');
      this.tell.onCell?.(id, (performance.now() - started) / 1000);
    }
    return true;
  }

  private count(device: Device, cells: 1 | -1): void {
    this.working.set(device, (this.working.get(device) ?? 0) + cells);
  }

  /** One training stands for every cell of its configuration, whichever experiment it belongs to. */
  private async share(from: PlannedCell, to: PlannedCell): Promise<void> {
    const result = (await this.folder.readCell(from))!;
    await this.folder.writeCell(to.id, { ...result, cell: to.cell });
    this.tell.onCell?.(to.id, 0);
  }

  /** Runs a cell unless another process is at it, or was while this one was at others. */
  private async runAlone(planned: PlannedCell, context: Omit<CellContext, 'folder'>): Promise<'done' | 'stopped' | 'elsewhere'> {
    const file = await this.folder.cellLock(planned.id);
    const lock = await Lock.take(file);
    if (!(lock instanceof Lock)) {
      warnOnce(`left to another process: ${(await heldBy(lock, file, planned.id)).message}`);
      return 'elsewhere';
    }
    try {
      if (await this.finished(planned)) return 'done';
      return (await this.runCell(planned, context)) ? 'done' : 'stopped';
    } finally {
      await lock.release();
    }
  }

  private async runCell({ id, experiment, cell }: PlannedCell, context: Omit<CellContext, 'folder'>): Promise<boolean> {
    const cellFolder = this.folder.cellFolder(id);
    const found = await experiment.runCell(cell, { ...context, folder: cellFolder });
    if (found === undefined) return false;
    using model = MiniXception.create({ device: context.device, threads: context.threads });
    const where = await environment(model.deviceDescription);
    await this.folder.writeCell(id, { cell, found, environment: where, data: dataFacts(this.data) });
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
    for (const planned of matching) {
      if (await this.finished(planned)) continue;
      const { id, experiment, cell } = planned;
      const found = await experiment.adopt!(cell, runFolder, this.context(this.devices[0]));
      await this.folder.writeCell(id, { cell, found, reused: shownPath(runFolder), data: dataFacts(this.data) });
      this.tell.onCell?.(id, 0);
    }
  }

  /** Whether the cell's result is there; then it must come from the same data. */
  private async finished(planned: PlannedCell): Promise<boolean> {
    const { id } = planned;
    const stored = await this.folder.readCell(planned);
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
