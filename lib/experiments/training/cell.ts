/** The cell of every experiment that trains: one configuration, one seed, from initial weights to the test figures. */
import { access, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../../errors.js';
import type { LabelledImages } from '../../data/data-set.js';
import { imagesOf, labelsOf } from '../../data/rows.js';
import { rowsOf } from '../../data/splits.js';
import type { ClassificationMetrics } from '../../metrics/index.js';
import { MiniXception } from '../../model.js';
import { residentData } from '../../network/resident.js';
import { networkOptions, resolveConfig } from '../../training/config.js';
import type { TrainingConfig } from '../../training/options.js';
import type { EpochRow } from '../../metrics/epoch.js';
import { NO_TOTALS, openTrainer } from '../../training/trainer.js';
import type { Cell, CellContext } from '../experiment.js';

export interface Trained {
  config: TrainingConfig;
  rows: EpochRow[];
  chosen: { epoch: number; accuracy: number };
  /** Absent when training diverged. */
  evaluation?: ClassificationMetrics;
  evaluatedSplit?: string;
  /** Why training ended early, if it did. */
  diverged?: string;
  parameters: number;
  multiplyAdds: number;
  /** Held natively during training: parameters, optimiser, activations of one batch, scratch. */
  memoryBytes: number;
}

type Place = Pick<CellContext, 'data' | 'device' | 'threads'>;

const newModel = (config: TrainingConfig, { data, device, threads }: Place): MiniXception =>
  MiniXception.create(networkOptions(config, { classes: data.classes, device, threads }));

/** Trains, or goes on with what the cell's folder holds. Undefined when the signal stopped it. */
export async function trainCell(cell: Cell, context: CellContext): Promise<Trained | undefined> {
  const config = cell.config as TrainingConfig;
  const { data, signal, onProgress } = context;
  const runFolder = path.join(context.folder, 'run');
  const resume = await exists(path.join(runFolder, 'last.safetensors'));
  // A run that was killed before its first checkpoint left nothing to go on with.
  if (!resume) await rm(runFolder, { recursive: true, force: true });
  const { memoryBytes } = await measureStep(config, context);
  using model = newModel(config, context);
  const { parameterCount: parameters, multiplyAdds } = model;
  const { width: _width, inputSize: _inputSize, precision: _precision, ...options } = config;
  const rows: EpochRow[] = [];
  try {
    const result = await model.fit(data, {
      ...(resume ? { resume } : options),
      runFolder,
      signal,
      onEpoch: (row) => rows.push(row),
      onProgress: ({ epoch, epochs, step, steps, accuracy }) =>
        onProgress?.((epoch - 1 + step / steps) / epochs, `epoch ${epoch}/${epochs}, training accuracy ${(accuracy * 100).toFixed(1)} %`),
    });
    if (result.aborted) return undefined;
    const { evaluation, evaluatedSplit, chosen } = result;
    return { config, rows: result.rows, chosen, evaluation, evaluatedSplit, parameters, multiplyAdds, memoryBytes };
  } catch (error) {
    // For a setting under comparison that is a finding, and the other cells go on.
    if (!(error instanceof FerError && error.code === 'ERR_FER_DIVERGED')) throw error;
    return {
      config,
      rows,
      chosen: { epoch: 0, accuracy: 0 },
      diverged: error.message.split(';')[0],
      parameters,
      multiplyAdds,
      memoryBytes,
    };
  }
}

/**
 * What the finished run in `runFolder` gives for `cell`.
 * @throws {FerError} ERR_FER_CHECKPOINT when it is not finished, is another configuration, or was evaluated on other data.
 */
export async function adoptRun(cell: Cell, runFolder: string, context: Place): Promise<Trained> {
  const config = cell.config as TrainingConfig;
  const { data } = context;
  const fail = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} cannot stand for ${cell.id}: ${reason}`, { cause, details: { runFolder } });
  };
  const run = await readRun(runFolder).catch((cause: Error) => fail(`it is not a finished training run (${cause.message})`, cause));
  const other = differences(config, run.config);
  if (other.length > 0) fail(`it differs in ${other.join(', ')}`);
  if (run.rows.length !== config.epochs && config.earlyStopping === 0) fail(`it has ${run.rows.length} of ${config.epochs} epochs`);
  const { split, chosen, ...evaluation } = run.evaluation;
  const images = data.splits.get(split)?.length ?? 0;
  if (evaluation.n !== images) fail(`it was evaluated on ${evaluation.n} images; ${split} of ${data.source} has ${images}`);
  const { memoryBytes } = await measureStep(config, context);
  using model = newModel(config, context);
  const { parameterCount: parameters, multiplyAdds } = model;
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

export interface StepTiming {
  secondsAStep: number;
  secondsAnEvaluatedImage: number;
  memoryBytes: number;
}

const measured = new WeakMap<LabelledImages, Map<string, Promise<StepTiming>>>();

/** Times a few training steps of a configuration; the same network and batch are timed once a data set. */
export function measureStep(config: TrainingConfig, place: Place): Promise<StepTiming> {
  const { data, device, threads } = place;
  const timings = measured.get(data) ?? new Map<string, Promise<StepTiming>>();
  measured.set(data, timings);
  const { width, inputSize, precision, batchSize, optimizer, emaDecay } = config;
  const key = [width, inputSize, precision, batchSize, optimizer, emaDecay > 0, device, threads].join();
  const timing = timings.get(key) ?? timeSteps(config, place);
  timings.set(key, timing);
  return timing;
}

/** At least so many steps, and more of them within so many seconds; the median counts. */
const TIMED_STEPS = 3;
const TIMED_SECONDS = 0.5;

async function timeSteps(config: TrainingConfig, place: Place): Promise<StepTiming> {
  const { data } = place;
  const rows = rowsOf(data, 'Training').subarray(0, config.batchSize);
  const indices = Uint32Array.from(rows, (_, i) => i);
  using model = newModel(config, place);
  using resident = residentData({ size: data.size, images: imagesOf(data, rows), labels: labelsOf(data, rows) });
  using trainer = openTrainer(model, resident, config);
  const step = async (epoch: number): Promise<void> => {
    await trainer.trainEpoch({ epoch, indices, learningRates: new Float32Array(1), from: NO_TOTALS }, () => undefined);
  };
  await step(0); // the first one also allocates
  const seconds: number[] = [];
  const until = performance.now() + TIMED_SECONDS * 1000;
  while (seconds.length < TIMED_STEPS || (performance.now() < until && seconds.length < 50)) {
    const started = performance.now();
    await step(seconds.length + 1);
    seconds.push((performance.now() - started) / 1000);
  }
  const secondsAStep = seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)];
  const memoryBytes = model.native.memoryBytes() + trainer.memoryBytes();
  const started = performance.now();
  await model.native.logitsOf(resident, indices, false);
  return { secondsAStep, secondsAnEvaluatedImage: (performance.now() - started) / 1000 / indices.length, memoryBytes };
}

/** Seconds a whole training will take, validation after every epoch included. */
export async function estimateTraining(cell: Cell, context: CellContext): Promise<number> {
  const config = cell.config as TrainingConfig;
  const { secondsAStep, secondsAnEvaluatedImage } = await measureStep(config, context);
  const { splits } = context.data;
  const steps = Math.ceil((splits.get('Training')?.length ?? 0) / config.batchSize);
  const validated = splits.get('PublicTest')?.length ?? 0;
  return config.epochs * (steps * secondsAStep + validated * secondsAnEvaluatedImage);
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
