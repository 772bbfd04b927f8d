/** How many faces a model still recognises when they are perturbed: the measurement behind experiment 3 (tables 3 and 4). */
import type { CancelSignal } from '../../cancel-signal.js';
import type { LabelledImages } from '../../data/data-set.js';
import type { ImageBatch } from '../../data/image.js';
import { batchOf, labelsOf } from '../../data/rows.js';
import { rowsOf } from '../../data/splits.js';
import { invalidArgument } from '../../errors.js';
import { argmax, wilsonInterval } from '../../metrics/index.js';
import type { MiniXception } from '../../model.js';
import { underClassesOf } from '../../network/network.js';
import { residentData } from '../../network/resident.js';
import { perturbBatch } from '../../perturb/index.js';
import { generator } from '../../random.js';
import { mean, quantile } from '../statistics.js';
import { PAPER_SERIES, SEVERITY_SERIES, type RobustnessSeries, type RobustnessSetting } from './series.js';

/** k of n, with the 95 % Wilson score interval of k / n. */
export interface Proportion {
  k: number;
  n: number;
  /** k / n, 0..1; 0 where n is 0. */
  share: number;
  interval: [low: number, high: number];
}

export interface RobustnessPoint extends RobustnessSetting {
  /** On the whole split. */
  accuracy: Proportion;
  /** Of the images that are right when left alone, those still right. */
  kept: {
    pooled: Proportion;
    /** Mean over the classes that have such images. */
    classMean: number;
    perClass: { name: string; k: number; n: number }[];
  };
  /** The paper's protocol: the same three correctly classified images a class at every setting, as the seed draws them. */
  protocol: Proportion;
  /** The protocol repeated with other images: share of a draw still right; its mean and its 2.5 and 97.5 percentiles. */
  draws: { mean: number; low: number; high: number };
}

export interface MeasuredSeries extends Omit<RobustnessSeries, 'settings'> {
  points: RobustnessPoint[];
}

/** What `measureRobustness` found. */
export interface RobustnessMeasurement {
  /** The split whose images were perturbed. */
  split: string;
  /** Names of the classes. */
  classes: string[];
  /** Of the protocol's images and of random perturbations. */
  seed: number;
  /** Images a class in the paper's protocol. */
  perClass: number;
  /** How often the protocol was repeated. */
  draws: number;
  /** The unperturbed split. */
  clean: Proportion;
  /** Rows of the data set in the paper's protocol, class after class. Fewer than classes x perClass where a class has too few right. */
  protocolRows: number[];
  /** One curve a perturbation. */
  series: MeasuredSeries[];
  /** Images perturbed and classified. */
  images: number;
  /** Wall clock of that. */
  seconds: number;
  /** Processor time of the whole process meanwhile. */
  cpuSeconds: number;
}

export interface RobustnessProgress {
  /** Settings finished, of `settings`. */
  done: number;
  settings: number;
  series: string;
  label: string;
}

/** What is measured, and on which images. */
export interface MeasureRobustnessOptions {
  /** Default PublicTest. */
  split?: string;
  /** Of the protocol's images and of random perturbations. Default 0. */
  seed?: number;
  /** Images a class in the paper's protocol. Default 3. */
  perClass?: number;
  /** How often the protocol is repeated with other images. Default 1000. */
  draws?: number;
  /** Default: the paper's two series, then every perturbation at its five severities. */
  series?: readonly RobustnessSeries[];
  /** CPU threads of perturbing; 0, the default, means one a core. */
  threads?: number;
  /** Called after each setting. */
  onProgress?: (progress: RobustnessProgress) => void;
  /** Stops between settings by throwing the signal's reason. */
  signal?: CancelSignal;
}

/**
 * Perturbs and classifies a split at every setting. Images are perturbed at the data set's size, before they are resized to the
 * network's input and normalised. Everything drawn depends on the seed and the data set's rows alone.
 * @throws {FerError} ERR_FER_ARGUMENT for a split that is absent or empty, or classes that are not the model's.
 */
export async function measureRobustness(
  model: MiniXception,
  given: LabelledImages,
  options: MeasureRobustnessOptions = {},
): Promise<RobustnessMeasurement> {
  const { split = 'PublicTest', seed = 0, perClass = 3, draws = 1000, threads = 0, onProgress, signal } = options;
  const wanted = options.series ?? [...PAPER_SERIES, ...SEVERITY_SERIES];
  const data = underClassesOf(model, given);
  const rows = rowsOf(data, split);
  for (const [name, value] of Object.entries({ perClass, draws }))
    if (!Number.isInteger(value) || value < 1) invalidArgument(name, 'a whole number from 1', value);

  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  const labels = labelsOf(data, rows);
  const batch = batchOf(data, rows);
  const right = await rightOnes(model, batch, labels);
  const samples = drawSamples(right, labels, model.classes.length, { seed, perClass, draws });
  const settings = wanted.reduce((sum, series) => sum + series.settings.length, 0);
  let done = 0;
  const measured: MeasuredSeries[] = [];
  for (const { id, title, type, axis, settings: each } of wanted) {
    const points: RobustnessPoint[] = [];
    for (const setting of each) {
      signal?.throwIfAborted();
      const perturbed = await perturbBatch(batch, setting.perturbation, { seed, rows, threads });
      const still = await rightOnes(model, perturbed, labels);
      points.push({
        ...setting,
        accuracy: proportion(count(still), still.length),
        kept: keptOf(right, still, labels, model.classes),
        ...sampled(samples, still),
      });
      onProgress?.({ done: ++done, settings, series: id, label: setting.label });
    }
    measured.push({ id, title, type, axis, points });
  }
  const cpu = process.cpuUsage(cpuStarted);
  return {
    split,
    classes: [...model.classes],
    seed,
    perClass,
    draws,
    clean: proportion(count(right), right.length),
    protocolRows: Array.from(samples[0], (at) => rows[at]),
    series: measured,
    images: rows.length * (settings + 1),
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/** 1 where the model recognises the image, 0 elsewhere. */
async function rightOnes(model: MiniXception, batch: ImageBatch, labels: Uint8Array): Promise<Uint8Array> {
  if (batch.width !== batch.height) invalidArgument('series', 'perturbations that keep images square', `${batch.width}x${batch.height}`);
  using resident = await residentData({ images: batch.images, labels, size: batch.width });
  const everyRow = Uint32Array.from(labels, (_, i) => i);
  const logits = await model.native.logitsOf(resident, everyRow, false);
  const k = model.classes.length;
  return Uint8Array.from(labels, (label, i) => Number(argmax(logits, i * k, k) === label));
}

/** Places in the split of each repetition's images: `perClass` of the right ones of every class, or as many as there are. */
function drawSamples(
  right: Uint8Array,
  labels: Uint8Array,
  classes: number,
  options: { seed: number; perClass: number; draws: number },
): Uint32Array[] {
  const ofClass = Array.from({ length: classes }, (): number[] => []);
  right.forEach((is, i) => is && ofClass[labels[i]].push(i));
  const random = generator(options.seed);
  return Array.from({ length: options.draws }, () =>
    Uint32Array.from(
      ofClass.flatMap((places) => {
        const chosen = new Set<number>();
        while (chosen.size < Math.min(options.perClass, places.length)) chosen.add(places[Math.floor(random() * places.length)]);
        return [...chosen];
      }),
    ),
  );
}

/** The first repetition is the paper's protocol; all of them say how much it depends on the images drawn. */
function sampled(samples: Uint32Array[], still: Uint8Array): Pick<RobustnessPoint, 'protocol' | 'draws'> {
  const shares = samples.map((sample) => {
    const k = sample.reduce((sum, at) => sum + still[at], 0);
    return proportion(k, sample.length);
  });
  const sorted = shares.map(({ share }) => share).sort((a, b) => a - b);
  return { protocol: shares[0], draws: { mean: mean(sorted), low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) } };
}

function keptOf(right: Uint8Array, still: Uint8Array, labels: Uint8Array, classes: readonly string[]): RobustnessPoint['kept'] {
  const perClass = classes.map((name) => ({ name, k: 0, n: 0 }));
  right.forEach((was, i) => {
    perClass[labels[i]].n += was;
    perClass[labels[i]].k += was & still[i];
  });
  const known = perClass.filter(({ n }) => n > 0);
  const total = (key: 'k' | 'n'): number => perClass.reduce((sum, each) => sum + each[key], 0);
  return {
    pooled: proportion(total('k'), total('n')),
    classMean: known.reduce((sum, { k, n }) => sum + k / n, 0) / Math.max(known.length, 1),
    perClass,
  };
}

const count = (ones: Uint8Array): number => ones.reduce((sum, one) => sum + one, 0);

const proportion = (k: number, n: number): Proportion => ({ k, n, share: n === 0 ? 0 : k / n, interval: wilsonInterval(k, n) });
