/** The training loop: epochs, validation, checkpoints, the final report. The steps themselves run natively. */
import type { LabelledImages } from '../data/data-set.js';
import { labelsOf } from '../data/rows.js';
import { FerError } from '../errors.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { EpochRow } from '../metrics/epoch.js';
import { classificationMetrics, type ClassificationMetrics } from '../metrics/index.js';
import type { NativeDataSet, NativeEpochTotals, NativeTrainer } from '../native.js';
import { readModelFile, writeModelFile } from '../network/model-file.js';
import { byName, copyOf, setTensors, tensorsOf, underClassesOf, type Network } from '../network/network.js';
import { residentData } from '../network/resident.js';
import { notFinite, type Tensor } from '../network/safetensors.js';
import { inSlices } from '../slices.js';
import type { FitOptions, TrainingResult } from './fit.js';
import { rolesOf, type Roles } from './roles.js';
import { noteOnDevices, type Progress } from './progress.js';
import type { RunFolder } from './run-folder.js';
import { makeSchedule, type Schedule } from './schedules.js';
import { newRun, resumedRun } from './start.js';
import { checkTeachers, readTeachers, teacherNames } from './teachers.js';
import { drawnLabels } from './votes.js';
import { Tracking } from './trackers.js';
import { inverseFrequencies, NO_TOTALS, openTrainer } from './trainer.js';

/** What a checkpoint holds: copies. */
interface State {
  weights: Map<string, Tensor>;
  /** Moments, the averaged weights and their running statistics. */
  optimizer: Map<string, Tensor>;
}

class Run {
  private readonly schedule: Schedule;
  private readonly steps: number;
  private averaged: Network | undefined;
  private bestTensors: Map<string, Tensor> | undefined;
  private readonly roles: Roles;
  /** What a listener threw; it ends the run once its state is saved. */
  private thrown: { error: unknown } | undefined;

  constructor(
    private readonly network: Network,
    private readonly data: LabelledImages,
    private readonly resident: NativeDataSet,
    private readonly trainer: NativeTrainer,
    private readonly folder: RunFolder | undefined,
    private readonly progress: Progress,
    private readonly options: FitOptions,
    private readonly tracking: Tracking,
  ) {
    const { config } = progress;
    this.roles = rolesOf(data);
    this.steps = Math.ceil(this.roles.training.length / config.batchSize);
    this.schedule = makeSchedule(config);
    const { step, seen } = progress.totals;
    if (step >= this.steps || seen !== step * config.batchSize)
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${folder?.path} stands at step ${step}, after ${seen} images, of an epoch that has ${this.steps} steps of ${config.batchSize} on ` +
          `${data.source}: it trained on other data`,
      );
    if (Object.keys(progress.schedule).length) this.schedule.restore(progress.schedule);
  }

  /** `anew`: nothing is in the folder yet. */
  async execute(anew: boolean): Promise<TrainingResult> {
    const { config } = this.progress;
    const finished = (): boolean => {
      const { epoch, best } = this.progress;
      return epoch >= config.epochs || (config.earlyStopping > 0 && epoch - best.epoch >= config.earlyStopping);
    };
    try {
      if (config.emaDecay > 0) this.averaged = await copyOf(this.network);
      // Whenever it is killed, there is something to go on with.
      if (anew && this.folder) await this.save(await this.state());
      // After the checkpoint, and so again where the run was killed between the two.
      await this.folder?.writeConfig(this.progress);
      while (!finished()) if (!(await this.epoch())) return this.result(true);
      await this.choose();
    } finally {
      this.averaged?.native.dispose();
    }
    const result = this.result(false);
    const { test } = this.roles;
    if (test) {
      result.evaluation = await evaluate(this.network, this.data, { split: test });
      result.evaluatedSplit = test;
    }
    this.network.metadata.training = {
      config: { ...config, teacher: teacherNames(config) },
      chosen: result.chosen,
      data: this.data.source.split('/').pop(),
      ...(test ? { [test]: result.evaluation?.accuracy } : {}),
    };
    if (this.folder) await (await import('./report.js')).writeRunReport(this.folder, this.network, this.data, result);
    return result;
  }

  /** Trains one epoch or the rest of one; false when aborted. */
  private async epoch(): Promise<boolean> {
    const { progress } = this;
    const started = performance.now();
    const before = progress.totals.seen;
    const learningRates = this.schedule.learningRates(progress.epoch, this.steps);
    const totals = await this.takeSteps(learningRates, started);
    this.mustBeFinite('the loss', totals.lossSum);
    // The last step may have ruined weights that no loss has shown yet; they must not replace the checkpoint.
    const state = await this.state();
    for (const tensors of [state.weights, state.optimizer]) {
      const found = await inSlices(notFinite(tensors));
      if (found) this.mustBeFinite(`a value of ${found.name}`, found.value);
    }
    if (totals.step < this.steps) {
      progress.totals = totals;
      await this.save(state);
      if (this.thrown) throw this.thrown.error;
      return false;
    }
    const seconds = (performance.now() - started) / 1000;
    const trained = {
      learningRate: learningRates[this.steps - 1],
      trainLoss: totals.lossSum / totals.seen,
      trainAccuracy: totals.correct / totals.seen,
      seconds,
      imagesPerSecond: (totals.seen - before) / seconds,
    };
    await this.endEpoch(trained, state);
    return true;
  }

  /** The steps that are left of the epoch, or as many as there are time for until the signal. */
  private async takeSteps(learningRates: Float32Array, started: number): Promise<NativeEpochTotals> {
    const { trainer, progress } = this;
    const { signal } = this.options;
    const abort = (): void => trainer.cancel();
    signal?.addEventListener('abort', abort);
    let running = true;
    try {
      const labels = drawnLabels(this.data, progress.config.seed, progress.epoch);
      const request = { epoch: progress.epoch, indices: this.roles.training, learningRates, from: progress.totals, labels };
      const epoch = trainer.trainEpoch(request, (totals) => {
        if (!running || this.thrown) return;
        try {
          this.tell(totals, request.from.seen, started);
        } catch (error) {
          // Native code, which calls this, has nobody to hand it to.
          this.thrown = { error };
          trainer.cancel();
        }
      });
      if (signal?.aborted) abort();
      return await epoch;
    } finally {
      // A report may still be under way to the event loop.
      running = false;
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Validates, keeps the best weights and saves. */
  private async endEpoch(trained: Omit<EpochRow, 'epoch' | 'validationLoss' | 'validationAccuracy'>, state: State): Promise<void> {
    const { progress } = this;
    const evaluated = await this.evaluated();
    const validation = await this.validate(evaluated);
    this.mustBeFinite('the validation loss', validation.loss);
    const { learningRate, trainLoss, trainAccuracy, seconds, imagesPerSecond } = trained;
    const row: EpochRow = {
      epoch: progress.epoch + 1,
      learningRate,
      trainLoss,
      trainAccuracy,
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy,
      seconds,
      imagesPerSecond,
    };
    progress.rows.push(row);
    progress.epoch++;
    progress.totals = NO_TOTALS;
    this.schedule.epochEnded(validation);
    if (validation.accuracy > progress.best.accuracy) {
      progress.best = { epoch: row.epoch, accuracy: validation.accuracy };
      await this.keep(evaluated);
    }
    await this.save(state);
    await this.tracking.epoch(row);
    if (this.thrown) throw this.thrown.error;
    this.options.onEpoch?.(row);
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
  private async evaluated(): Promise<Network> {
    if (!this.averaged) return this.network;
    await this.trainer.copyAverageTo(this.averaged.native);
    return this.averaged;
  }

  private async validate({ native, metadata }: Network): Promise<ClassificationMetrics> {
    const rows = this.roles.validation;
    const logits = await native.logitsOf(this.resident, rows, false);
    return classificationMetrics(logits, labelsOf(this.data, rows), metadata.classes);
  }

  private async keep(network: Network): Promise<void> {
    this.bestTensors = await tensorsOf(network);
    if (!this.folder) return;
    network.metadata.training = { config: this.progress.config, epoch: this.progress.best.epoch };
    await writeModelFile(this.folder.file('best.safetensors'), { metadata: network.metadata, tensors: this.bestTensors });
  }

  private async state(): Promise<State> {
    return { weights: await tensorsOf(this.network), optimizer: byName(await this.trainer.state()) };
  }

  private async save({ weights, optimizer }: State): Promise<void> {
    const { folder, network, progress, trainer } = this;
    if (!folder) return;
    progress.schedule = this.schedule.state();
    progress.steps = trainer.stepCount;
    // The rows first: a run killed between the two trains its last epoch again, to the same row.
    await folder.writeRows(progress.rows);
    await folder.writeCheckpoint(network.metadata, weights, optimizer, progress);
  }

  /** Gives the network the weights of the epoch that counts. */
  private async choose(): Promise<void> {
    if (this.progress.config.selectBy === 'last') {
      if (this.averaged) await setTensors(this.network, await tensorsOf(await this.evaluated()));
      return;
    }
    if (!this.bestTensors && this.folder) this.bestTensors = (await readModelFile(this.folder.file('best.safetensors'))).tensors;
    await setTensors(this.network, this.bestTensors ?? new Map());
  }

  private result(aborted: boolean): TrainingResult {
    const { config, rows, best, devices } = this.progress;
    const last = rows[rows.length - 1];
    const chosen = config.selectBy === 'best' ? best : { epoch: last?.epoch ?? 0, accuracy: last?.validationAccuracy ?? 0 };
    return {
      config,
      rows,
      chosen,
      aborted,
      runFolder: this.folder?.path,
      notes: [...this.data.notes, ...this.roles.notes, ...noteOnDevices(devices)],
    };
  }
}

/**
 * Trains `network` on the Training split, chooses on PublicTest, and reports the test split once.
 * @throws {FerError} ERR_FER_CONFIG, ERR_FER_ARGUMENT, ERR_FER_CHECKPOINT, ERR_FER_DIVERGED, ERR_FER_DATA_FORMAT
 */
export async function train(network: Network, given: LabelledImages, options: FitOptions): Promise<TrainingResult> {
  const { runFolder, resume, trackers = [], signal: _signal, onProgress: _onProgress, onEpoch: _onEpoch, ...wanted } = options;
  const data = underClassesOf(network, given);
  const { folder, progress, tensors } = resume ? await resumedRun(network, runFolder) : await newRun(network, wanted, runFolder, data);
  try {
    const { config } = progress;
    const { training } = rolesOf(data);
    const teachers = await readTeachers(config, network);
    if (tensors) checkTeachers(config, teachers, progress.teachers ?? [], runFolder);
    else if (teachers.weights.length > 0) progress.teachers = teachers.weights;
    using resident = await residentData(data);
    if (tensors) await setTensors(network, tensors);
    using trainer = await openTrainer(network, resident, config, {
      classWeights: config.balanceClasses ? inverseFrequencies(data, training) : undefined,
      teachers: teachers.given,
    });
    if (tensors) await restore(trainer, tensors, progress.steps, runFolder);
    const tracking = await Tracking.begin(trackers, {
      config,
      runFolder,
      classes: network.metadata.classes,
      dataSource: data.source,
      device: network.native.deviceDescription,
      parameterCount: network.native.parameterCount,
      resumed: tensors !== undefined,
      rows: [...progress.rows],
    });
    try {
      const run = new Run(network, data, resident, trainer, folder, progress, options, tracking);
      const result = await run.execute(tensors === undefined);
      await tracking.end({ status: result.aborted ? 'aborted' : 'finished', result });
      return result;
    } catch (error) {
      await tracking.end({ status: 'failed', error });
      throw error;
    }
  } finally {
    await folder?.release();
  }
}

/** Gives the trainer the state that a checkpoint holds. */
async function restore(
  trainer: NativeTrainer,
  tensors: ReadonlyMap<string, Tensor>,
  steps: number,
  runFolder: string | undefined,
): Promise<void> {
  const state = (await trainer.state()).map(({ name, shape }) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new FerError('ERR_FER_CHECKPOINT', `${runFolder} lacks ${name} of the optimiser's state`);
    if (tensor.shape.join() !== shape.join())
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${runFolder}: expected shape [${shape.join(', ')}], got [${tensor.shape.join(', ')}], for ${name}`,
      );
    return { name, data: tensor.data };
  });
  await trainer.setState(state, steps);
}
