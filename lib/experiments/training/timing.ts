/** How long a training will take and what memory it needs, from a few steps of it. */
import type { LabelledImages } from '../../data/data-set.js';
import { imagesOf, labelsOf } from '../../data/rows.js';
import { rowsOf } from '../../data/splits.js';
import { MiniXception } from '../../model.js';
import { residentData } from '../../network/resident.js';
import type { TrainingConfig } from '../../training/options.js';
import { networkOptions } from '../../training/config.js';
import { NO_TOTALS, openTrainer } from '../../training/trainer.js';
import type { CellContext } from '../experiment.js';
import type { TrainingCell } from './found.js';

export type Place = Pick<CellContext, 'data' | 'device' | 'threads'>;

/** The network that a configuration starts from. */
export const newModel = (config: TrainingConfig, { data, device, threads }: Place): MiniXception =>
  MiniXception.create(networkOptions(config, { classes: data.classes, device, threads }));

export interface StepTiming {
  secondsAStep: number;
  secondsAnEvaluatedImage: number;
  /** Of the network. */
  parameters: number;
  multiplyAdds: number;
  /** Held natively during training: parameters, optimiser, activations of one batch, scratch. */
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
  using resident = await residentData({ size: data.size, images: imagesOf(data, rows), labels: labelsOf(data, rows) });
  using trainer = await openTrainer(model, resident, config);
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
  const { parameterCount: parameters, multiplyAdds } = model;
  const memoryBytes = model.native.memoryBytes() + trainer.memoryBytes();
  const started = performance.now();
  await model.native.logitsOf(resident, indices, false);
  const secondsAnEvaluatedImage = (performance.now() - started) / 1000 / indices.length;
  return { secondsAStep, secondsAnEvaluatedImage, parameters, multiplyAdds, memoryBytes };
}

/** Seconds a whole training will take, validation after every epoch included. */
export async function estimateTraining({ config }: TrainingCell, context: CellContext): Promise<number> {
  const { secondsAStep, secondsAnEvaluatedImage } = await measureStep(config, context);
  const { splits } = context.data;
  const steps = Math.ceil((splits.get('Training')?.length ?? 0) / config.batchSize);
  const validated = splits.get('PublicTest')?.length ?? 0;
  return config.epochs * (steps * secondsAStep + validated * secondsAnEvaluatedImage);
}
