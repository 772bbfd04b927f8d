/** The training loop: epochs, validation, checkpoints, the final report. The steps themselves run natively. */
import { FerError } from '../errors.js';
import { writeChart } from '../charts/write.js';
import { confusionMatrixChart, learningCurvesChart } from '../charts/charts.js';
import type { LabelledImages } from '../data/data-set.js';
import type { ClassificationMetrics } from '../metrics/index.js';
import { classificationMetrics } from '../metrics/index.js';
import { formatConfusionMatrix, formatReport } from '../metrics/text.js';
import { residentData, type MiniXception } from '../model.js';
import { native, type NativeDataSet, type NativeEpochTotals, type NativeTrainer } from '../native.js';
import { readModelFile } from '../network/model-file.js';
import type { Tensor } from '../network/safetensors.js';
import { widthName } from '../network/width.js';
import { resolveConfig, type TrainingConfig } from './config.js';
import { RunFolder, type EpochRow, type Progress } from './run-folder.js';
import { makeSchedule, type Schedule } from './schedules.js';

export interface TrainingProgress {
  /** One-based. */
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** Means over the images of this epoch so far. */
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
  /** Until the last epoch ends. */
  secondsLeft: number;
}

/** Any option of `TrainingConfig` (width, input size and precision come from the model), and how to run. */
export interface FitOptions extends Partial<Omit<TrainingConfig, 'width' | 'inputSize' | 'precision'>> {
  /** Folder for configuration, metrics, checkpoints and charts; none: nothing is written. */
  runFolder?: string;
  /** Go on with the run in `runFolder`; its configuration applies. Default false. */
  resume?: boolean;
  /** Finishes the running step, saves, and ends with `aborted: true`. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
  onEpoch?: (row: EpochRow) => void;
}

export interface TrainingResult {
  config: TrainingConfig;
  rows: EpochRow[];
  /** One-based epoch whose weights the model now has, and its validation accuracy. */
  chosen: { epoch: number; accuracy: number };
  aborted: boolean;
  /** On the test split, once, at the end; absent when aborted or without such a split. */
  evaluation?: ClassificationMetrics;
  evaluatedSplit?: string;
  runFolder?: string;
  /** Facts about how the data were used. */
  notes: string[];
}

const NO_TOTALS: NativeEpochTotals = { lossSum: 0, correct: 0, seen: 0, step: 0 };

/** Which rows train, which choose, which are reported. */
function roles(data: LabelledImages): { training: Uint32Array; validation: Uint32Array; test?: string; notes: string[] } {
  const training = data.splits.get('Training');
  if (!training?.length)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${data.source} has no Training split; it has ${[...data.splits.keys()].join(', ') || 'no rows'}`,
    );
  const test = ['PrivateTest', 'Test'].find((name) => data.splits.get(name)?.length);
  const validation = data.splits.get('PublicTest');
  if (validation?.length) return { training, validation, test, notes: [] };
  if (training.length < 10)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${data.source} has ${training.length} training images and no PublicTest split; at least 10 are needed to hold some out`,
    );
  // Every tenth row; files are not sorted in a way that repeats every ten rows, and the choice needs no seed.
  return {
    training: training.filter((_, i) => i % 10 !== 9),
    validation: training.filter((_, i) => i % 10 === 9),
    test,
    notes: ['there is no PublicTest split: every tenth training image is held out to choose on'],
  };
}

function toTensors(list: { name: string; shape: number[]; data: Float32Array }[]): Map<string, Tensor> {
  return new Map(list.map(({ name, shape, data }) => [name, { shape, data }]));
}

class Run {
  private readonly schedule: Schedule;
  private readonly steps: number;
  private readonly averaged: MiniXception | undefined;
  private readonly bestTensors = { tensors: new Map<string, Tensor>() };
  private readonly roles: ReturnType<typeof roles>;

  constructor(
    private readonly model: MiniXception,
    private readonly data: LabelledImages,
    private readonly resident: NativeDataSet,
    private readonly trainer: NativeTrainer,
    private readonly folder: RunFolder | undefined,
    private readonly progress: Progress,
    private readonly options: FitOptions,
  ) {
    const { config } = progress;
    this.roles = roles(data);
    this.steps = Math.ceil(this.roles.training.length / config.batchSize);
    this.schedule = makeSchedule(config);
    if (Object.keys(progress.schedule).length) this.schedule.restore(progress.schedule);
    if (config.emaDecay > 0) this.averaged = model.clone();
  }

  async execute(): Promise<TrainingResult> {
    const { config } = this.progress;
    const finished = (): boolean => {
      const { epoch, best } = this.progress;
      return epoch >= config.epochs || (config.earlyStopping > 0 && epoch - best.epoch >= config.earlyStopping);
    };
    try {
      while (!finished()) if (!(await this.epoch())) return this.result(true);
      await this.choose();
    } finally {
      this.averaged?.dispose();
    }
    const result = this.result(false);
    const { test } = this.roles;
    if (test) {
      result.evaluation = await this.model.evaluate(this.data, { split: test });
      result.evaluatedSplit = test;
    }
    this.model.metadata.training = {
      config,
      chosen: result.chosen,
      data: this.data.source.split('/').pop(),
      ...(test ? { [test]: result.evaluation?.accuracy } : {}),
    };
    if (this.folder) await this.report(this.folder, result);
    return result;
  }

  /** Trains one epoch or the rest of one; false when aborted. */
  private async epoch(): Promise<boolean> {
    const { progress, options, trainer } = this;
    const started = performance.now();
    const before = progress.totals.seen;
    const abort = (): void => trainer.cancel();
    options.signal?.addEventListener('abort', abort);
    const learningRates = this.schedule.learningRates(progress.epoch, this.steps);
    let totals: NativeEpochTotals;
    let running = true;
    try {
      const request = { epoch: progress.epoch, indices: this.roles.training, learningRates, from: progress.totals };
      const epoch = trainer.trainEpoch(request, (t) => running && this.tell(t, before, started));
      if (options.signal?.aborted) abort();
      totals = await epoch;
    } finally {
      // A report may still be under way to the event loop.
      running = false;
      options.signal?.removeEventListener('abort', abort);
    }
    this.mustBeFinite('the loss', totals.lossSum);
    // The last step may have ruined weights that no loss has shown yet; they must not replace the checkpoint.
    for (const [name, { data }] of this.model.tensors())
      this.mustBeFinite(`a value of ${name}`, data.find((value) => !Number.isFinite(value)) ?? 0);
    if (totals.step < this.steps) {
      progress.totals = totals;
      await this.save();
      return false;
    }
    const seconds = (performance.now() - started) / 1000;
    const evaluated = this.evaluated();
    const validation = await this.validate(evaluated);
    this.mustBeFinite('the validation loss', validation.loss);
    const row: EpochRow = {
      epoch: progress.epoch + 1,
      learningRate: learningRates[this.steps - 1],
      trainLoss: totals.lossSum / totals.seen,
      trainAccuracy: totals.correct / totals.seen,
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy,
      seconds,
      imagesPerSecond: (totals.seen - before) / seconds,
    };
    progress.rows.push(row);
    progress.epoch++;
    progress.totals = NO_TOTALS;
    this.schedule.epochEnded(validation);
    if (validation.accuracy > progress.best.accuracy) {
      progress.best = { epoch: row.epoch, accuracy: validation.accuracy };
      await this.keep(evaluated);
    }
    await this.save();
    options.onEpoch?.(row);
    return true;
  }

  private mustBeFinite(what: string, value: number): void {
    if (Number.isFinite(value)) return;
    const { config, epoch } = this.progress;
    throw new FerError(
      'ERR_FER_DIVERGED',
      `${what} became ${value} in epoch ${epoch + 1}; a lower learning rate (now ${config.learningRate}) or gradient clipping may help` +
        (this.folder && epoch > 0 ? `. The state after epoch ${epoch} is kept in ${this.folder.path}` : ''),
    );
  }

  private tell(totals: NativeEpochTotals, before: number, started: number): void {
    const { config, epoch } = this.progress;
    // Nothing that the rest of the epoch computes would be of use.
    if (!Number.isFinite(totals.lossSum)) this.trainer.cancel();
    const rate = (totals.seen - before) / ((performance.now() - started) / 1000);
    const images = this.roles.training.length;
    this.options.onProgress?.({
      epoch: epoch + 1,
      epochs: config.epochs,
      step: totals.step,
      steps: this.steps,
      loss: totals.lossSum / totals.seen,
      accuracy: totals.correct / totals.seen,
      imagesPerSecond: rate,
      secondsLeft: (images - totals.seen + (config.epochs - epoch - 1) * images) / rate,
    });
  }

  /** The network whose figures count: the averaged one where there is one. */
  private evaluated(): MiniXception {
    if (!this.averaged) return this.model;
    this.trainer.copyAverageTo(this.averaged.native);
    return this.averaged;
  }

  private async validate(model: MiniXception): Promise<ClassificationMetrics> {
    const rows = this.roles.validation;
    const logits = await model.native.logitsOf(this.resident, rows, false);
    return classificationMetrics(
      logits,
      Uint8Array.from(rows, (row) => this.data.labels[row]),
      model.classes,
    );
  }

  private async keep(model: MiniXception): Promise<void> {
    this.bestTensors.tensors = model.tensors();
    if (!this.folder) return;
    model.metadata.training = { config: this.progress.config, epoch: this.progress.best.epoch };
    await model.save(this.folder.file('best.safetensors'));
  }

  private async save(): Promise<void> {
    const { folder, model, progress, trainer } = this;
    if (!folder) return;
    progress.schedule = this.schedule.state();
    progress.steps = trainer.stepCount;
    await folder.writeCheckpoint(model.metadata, model.tensors(), toTensors(trainer.state()), progress);
    await folder.writeRows(progress.rows);
  }

  /** Gives the model the weights of the epoch that counts. */
  private async choose(): Promise<void> {
    if (this.progress.config.selectBy === 'last') {
      if (this.averaged) this.model.setTensors(this.evaluated().tensors());
      return;
    }
    if (this.bestTensors.tensors.size === 0 && this.folder)
      this.bestTensors.tensors = (await readModelFile(this.folder.file('best.safetensors'))).tensors;
    this.model.setTensors(this.bestTensors.tensors);
  }

  private result(aborted: boolean): TrainingResult {
    const { config, rows, best } = this.progress;
    const last = rows[rows.length - 1];
    const chosen = config.selectBy === 'best' ? best : { epoch: last?.epoch ?? 0, accuracy: last?.validationAccuracy ?? 0 };
    return { config, rows, chosen, aborted, runFolder: this.folder?.path, notes: [...this.data.notes, ...this.roles.notes] };
  }

  private async report(folder: RunFolder, result: TrainingResult): Promise<void> {
    await this.model.save(folder.file('model.safetensors'));
    await writeChart(learningCurvesChart(result.rows), folder.file('curves'));
    if (!result.evaluation) return;
    const { evaluation, evaluatedSplit: split } = result;
    await folder.writeJson('evaluation.json', { split, chosen: result.chosen, ...evaluation });
    const heading = `${split} of ${this.data.source.split('/').pop()}, weights of epoch ${result.chosen.epoch}`;
    await folder.writeText('report.txt', [heading, '', formatReport(evaluation), '', formatConfusionMatrix(evaluation)].join('\n'));
    await writeChart(confusionMatrixChart(evaluation), folder.file('confusion-matrix'));
  }
}

/** Weight of each class: inverse frequency, scaled to a mean of 1 over the training images. */
function inverseFrequencies(data: LabelledImages, rows: Uint32Array): Float32Array {
  const counts = new Array<number>(data.classes.length).fill(0);
  for (const row of rows) counts[data.labels[row]]++;
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count > 0 ? rows.length / (present * count) : 0));
}

/**
 * Trains `model` on the Training split, chooses on PublicTest, and reports the test split once.
 * @throws {FerError} ERR_FER_CONFIG, ERR_FER_ARGUMENT, ERR_FER_CHECKPOINT, ERR_FER_DIVERGED, ERR_FER_DATA_FORMAT
 */
export async function train(model: MiniXception, data: LabelledImages, options: FitOptions): Promise<TrainingResult> {
  const { runFolder, resume, signal: _signal, onProgress: _onProgress, onEpoch: _onEpoch, ...given } = options;
  if (data.classes.join() !== model.classes.join())
    throw new FerError(
      'ERR_FER_ARGUMENT',
      `expected the model's classes (${model.classes.join(', ')}), got ${data.classes.join(', ')}, for data`,
    );
  let folder: RunFolder | undefined;
  let progress: Progress;
  let tensors: Map<string, Tensor> | undefined;
  if (resume) {
    if (!runFolder) throw new FerError('ERR_FER_ARGUMENT', 'expected a runFolder to resume, got none');
    const opened = await RunFolder.open(runFolder);
    folder = opened.run;
    ({ progress, tensors } = opened.checkpoint);
    // Options that the version which began the run did not have yet are at their defaults.
    progress.config = resolveConfig(progress.config);
    if (widthName(model.width) !== progress.config.width || model.inputSize !== progress.config.inputSize)
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${runFolder} trains a ${progress.config.width} network at ${progress.config.inputSize} pixels, not ${widthName(model.width)} at ${model.inputSize}`,
      );
    const { precision = 'fp32' } = progress.config; // runs of 0.1.0 had no other
    if (model.precision !== precision)
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${runFolder} trains in ${precision}, not in ${model.precision}; give the model that precision`,
      );
  } else {
    const config = resolveConfig({ ...given, width: widthName(model.width), inputSize: model.inputSize, precision: model.precision });
    if (runFolder) folder = await RunFolder.create(runFolder);
    progress = {
      config,
      epoch: 0,
      totals: NO_TOTALS,
      steps: 0,
      schedule: {},
      rows: [],
      best: { epoch: 0, accuracy: -1 },
      dataSource: data.source,
    };
    await folder?.writeJson('config.json', config);
  }
  const { config } = progress;
  const { training } = roles(data);
  const resident = residentData(data);
  let trainer: NativeTrainer | undefined;
  try {
    if (tensors) model.setTensors(tensors);
    trainer = new (native().Trainer)(model.native, resident, {
      ...config,
      classWeights: config.balanceClasses ? inverseFrequencies(data, training) : new Float32Array(0),
      augmentation: config,
    });
    if (tensors) {
      for (const { name } of trainer.state()) {
        const tensor = tensors.get(name);
        if (!tensor) throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} lacks ${name} of the optimiser's state`);
        trainer.setState(name, tensor.data);
      }
      trainer.stepCount = progress.steps;
    }
    return await new Run(model, data, resident, trainer, folder, progress, options).execute();
  } finally {
    trainer?.dispose();
    resident.dispose();
  }
}
