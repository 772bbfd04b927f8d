/** Running experiments: what is missing of them in a folder, and one result an experiment at the end. */
import type { CancelSignal } from '../../cancel-signal.js';
import type { LabelledImages } from '../../data/data-set.js';
import { resolveDevice, type Device } from '../../device.js';
import type { Report } from '../../report/result.js';
import type { CellContext } from '../experiment.js';
import type { ExperimentOptions } from '../options.js';
import { collectResults } from './collect.js';
import { ExperimentFolder } from './folder.js';
import { chosenCells, plannedCells } from './plan.js';
import { Work, type Listeners } from './work.js';

/** Where experiments are kept and run; and their options. */
export interface RunOptions extends Partial<ExperimentOptions>, Listeners {
  /** Where cells are kept; a folder that holds some goes on with what is missing. */
  folder: string;
  /** Each works on one cell at a time, on two if it is named twice, while there is memory for both. Default one, "cpu". */
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
  signal?: CancelSignal;
}

export interface RunOutcome extends Report {
  /** Whether the signal ended it before everything was done. */
  aborted: boolean;
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
