/**
 * What an experiment is: a list of cells, each a unit of work that runs and resumes on its own, and a way to make one
 * result of what the cells found. Cells may run in any order, in different processes and on different machines.
 */
import type { CancelSignal } from '../cancel-signal.js';
import type { LabelledImages } from '../data/data-set.js';
import type { Device } from '../device.js';
import type { Environment, ExperimentResult } from '../report/result.js';
import type { Schema } from '../schema.js';
import type { TrainingConfig } from '../training/options.js';
import type { DataFacts } from './data-facts.js';
import type { ExperimentOptions } from './options.js';

export interface Cell {
  /** Unique in its experiment, and a file name. */
  id: string;
  title: string;
  /** What it trains, where it trains. */
  config?: TrainingConfig;
  /** Names under which `epochs` may set its length. */
  names?: string[];
}

export interface CellContext {
  data: LabelledImages;
  options: ExperimentOptions;
  /** The cell's own folder, for what it wants to keep. */
  folder: string;
  device: Device;
  threads: number;
  signal?: CancelSignal;
  /** Share of the cell that is done, 0..1, and a few words. */
  onProgress?: (fraction: number, text: string) => void;
}

/** What a finished cell leaves on disk, and all that `collect` gets to see. */
export interface CellResult<Found = unknown, C extends Cell = Cell> {
  cell: C;
  found: Found;
  /** Absent where a run was taken over whose machine is not on record. */
  environment?: Environment;
  /** The run folder that the result was taken over from. */
  reused?: string;
  data: DataFacts;
}

/** What an experiment makes of its cells; the runner adds its name, where they ran, and which have not. */
export type CollectedResult = Omit<ExperimentResult, 'experiment' | 'missing' | 'environments'>;

/** `C`: what its cells carry beyond a name and a title, such as the model to look at. */
export interface Experiment<Found = unknown, C extends Cell = Cell> {
  cells(options: ExperimentOptions): C[];
  /** What a cell's file may hold. */
  found: Schema<Found>;
  /** Undefined when the signal stopped it; what it kept in its folder lets it go on. */
  runCell(cell: C, context: CellContext): Promise<Found | undefined>;
  /** Seconds that a cell will take, from a measurement of a small part of it. */
  estimate(cell: C, context: CellContext): Promise<number>;
  collect(results: readonly CellResult<Found, C>[], options: ExperimentOptions): CollectedResult;
  /** What a finished training run gives for this cell; only for experiments that train. */
  adopt?(cell: C, runFolder: string, context: Omit<CellContext, 'folder'>): Promise<Found>;
}
