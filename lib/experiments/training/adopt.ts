/** A finished training run taken over for a cell instead of training the same again. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FerError } from '../../errors.js';
import type { EpochRow } from '../../metrics/epoch.js';
import { epochRow } from '../../metrics/schema.js';
import { list, read, type Schema } from '../../schema.js';
import { trainingConfig } from '../../training/checkpoint.js';
import type { TrainingConfig } from '../../training/options.js';
import type { Trained, TrainingCell } from './found.js';
import { evaluation, type Evaluation } from './schema.js';
import { measureStep, type Place } from './timing.js';

/**
 * What the finished run in `runFolder` gives for `cell`.
 * @throws {FerError} ERR_FER_CHECKPOINT when it is not finished, is another configuration, or was evaluated on other data.
 */
export async function adoptRun({ id, config }: TrainingCell, runFolder: string, context: Place): Promise<Trained> {
  const { data } = context;
  const refuse = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} cannot stand for ${id}: ${reason}`, { cause, details: { runFolder } });
  };
  const run = await readRun(runFolder).catch((cause: Error) => refuse(`it is not a finished training run (${cause.message})`, cause));
  const other = differences(config, run.config);
  if (other.length > 0) refuse(`it differs in ${other.join(', ')}`);
  if (run.rows.length !== config.epochs && config.earlyStopping === 0) refuse(`it has ${run.rows.length} of ${config.epochs} epochs`);
  const { split, chosen, ...metrics } = run.evaluation;
  const images = data.splits.get(split)?.length ?? 0;
  if (metrics.n !== images) refuse(`it was evaluated on ${metrics.n} images; ${split} of ${data.source} has ${images}`);
  const { parameters, multiplyAdds, memoryBytes } = await measureStep(config, context);
  return { config, rows: run.rows, chosen, evaluation: metrics, evaluatedSplit: split, parameters, multiplyAdds, memoryBytes };
}

/** Options in which a stored configuration differs: "epochs (100, not 2)". */
export function differences(wanted: TrainingConfig, stored: TrainingConfig): string[] {
  return (Object.keys(wanted) as (keyof TrainingConfig)[])
    .filter((key) => !isDeepStrictEqual(wanted[key], stored[key]))
    .map((key) => `${key} (${String(stored[key])}, not ${String(wanted[key])})`);
}

interface StoredRun {
  config: TrainingConfig;
  rows: EpochRow[];
  evaluation: Evaluation;
}

async function readRun(folder: string): Promise<StoredRun> {
  const lines = (await readFile(path.join(folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return {
    config: await readRunConfig(folder),
    rows: read(list(epochRow), lines.map((line) => JSON.parse(line) as unknown), 'metrics.jsonl', fail), // prettier-ignore
    evaluation: await readFileOf(folder, 'evaluation.json', evaluation),
  };
}

/** The configuration of a run. */
export const readRunConfig = (folder: string): Promise<TrainingConfig> => readFileOf(folder, 'config.json', trainingConfig);

async function readFileOf<T>(folder: string, name: string, schema: Schema<T>): Promise<T> {
  return read(schema, JSON.parse(await readFile(path.join(folder, name), 'utf8')), name, fail);
}

/** The caller says of which folder. */
const fail = (reason: string): never => {
  throw new Error(reason);
};
