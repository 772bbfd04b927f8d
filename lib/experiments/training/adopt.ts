/** A finished training run taken over for a cell instead of training the same again. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../../errors.js';
import type { EpochRow } from '../../metrics/epoch.js';
import type { ClassificationMetrics } from '../../metrics/index.js';
import { resolveConfig } from '../../training/config.js';
import type { TrainingConfig } from '../../training/options.js';
import type { Trained, TrainingCell } from './found.js';
import { measureStep, type Place } from './timing.js';

/**
 * What the finished run in `runFolder` gives for `cell`.
 * @throws {FerError} ERR_FER_CHECKPOINT when it is not finished, is another configuration, or was evaluated on other data.
 */
export async function adoptRun({ id, config }: TrainingCell, runFolder: string, context: Place): Promise<Trained> {
  const { data } = context;
  const fail = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} cannot stand for ${id}: ${reason}`, { cause, details: { runFolder } });
  };
  const run = await readRun(runFolder).catch((cause: Error) => fail(`it is not a finished training run (${cause.message})`, cause));
  const other = differences(config, run.config);
  if (other.length > 0) fail(`it differs in ${other.join(', ')}`);
  if (run.rows.length !== config.epochs && config.earlyStopping === 0) fail(`it has ${run.rows.length} of ${config.epochs} epochs`);
  const { split, chosen, ...evaluation } = run.evaluation;
  const images = data.splits.get(split)?.length ?? 0;
  if (evaluation.n !== images) fail(`it was evaluated on ${evaluation.n} images; ${split} of ${data.source} has ${images}`);
  const { parameters, multiplyAdds, memoryBytes } = await measureStep(config, context);
  return { config, rows: run.rows, chosen, evaluation, evaluatedSplit: split, parameters, multiplyAdds, memoryBytes };
}

/** Options in which a stored configuration differs: "epochs (100, not 2)". */
export function differences(wanted: TrainingConfig, stored: TrainingConfig): string[] {
  return (Object.keys(wanted) as (keyof TrainingConfig)[])
    .filter((key) => wanted[key] !== stored[key])
    .map((key) => `${key} (${String(stored[key])}, not ${String(wanted[key])})`);
}

interface StoredRun {
  config: TrainingConfig;
  rows: EpochRow[];
  evaluation: ClassificationMetrics & { split: string; chosen: Trained['chosen'] };
}

async function readRun(folder: string): Promise<StoredRun> {
  const text = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8');
  return {
    config: await readRunConfig(folder),
    rows: (await text('metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EpochRow),
    evaluation: JSON.parse(await text('evaluation.json')) as StoredRun['evaluation'],
  };
}

/** The configuration of a run; options that are younger than the run have their defaults. */
export async function readRunConfig(folder: string): Promise<TrainingConfig> {
  return resolveConfig(JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as Partial<TrainingConfig>);
}
