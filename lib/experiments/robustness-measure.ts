/** How many faces a model still recognises when they are perturbed: the measurement behind experiment 3 (tables 3 and 4). */
import type { LabelledImages } from '../data/data-set.js';
import type { MiniXception } from '../model.js';
import type { Perturbation, PerturbationType, Severity } from '../perturb/index.js';

/** k of n, with the 95 % Wilson score interval of k / n. */
export interface Proportion {
  k: number;
  n: number;
  /** k / n, 0..1. */
  share: number;
  interval: [low: number, high: number];
}

/** One strength of a perturbation. */
export interface RobustnessSetting {
  /** Such as "15°" or "severity 3". */
  label: string;
  /** On the axis of a curve: the strength, or the severity. */
  value: number;
  severity?: Severity;
  perturbation: Perturbation;
  /** What the paper reports of its 21 images. */
  paper?: PaperPoint;
}

export interface PaperPoint {
  /** 0..1, as printed (truncated); k of 21. */
  share: number;
  k: number;
  /** The paper gives only a bound: less than `share`, at more than the factor. */
  bound?: boolean;
}

/** A curve: one perturbation at rising strength. */
export interface RobustnessSeries {
  /** "paper-rotation", "paper-brightness", or the perturbation's type for its five severities. */
  id: string;
  title: string;
  type: PerturbationType;
  /** What `value` is, such as "degrees", "factor" or "severity". */
  axis: string;
  settings: RobustnessSetting[];
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
  /** The protocol repeated with other images: share of a draw still right, over `draws` draws. */
  draws: { mean: number; low: number; high: number };
}

export interface MeasuredSeries extends Omit<RobustnessSeries, 'settings'> {
  points: RobustnessPoint[];
}

export interface RobustnessMeasurement {
  split: string;
  classes: string[];
  seed: number;
  /** Images a class in the paper's protocol. */
  perClass: number;
  /** How often the protocol was repeated; `low` and `high` of a point are its 2.5 and 97.5 percentiles. */
  draws: number;
  /** The unperturbed split. */
  clean: Proportion;
  /** Rows of the data set in the paper's protocol, class after class. Fewer than classes x perClass where a class has too few right. */
  protocolRows: number[];
  series: MeasuredSeries[];
  /** Images perturbed and classified, and the time it took: wall clock, and processor time of the whole process. */
  images: number;
  seconds: number;
  cpuSeconds: number;
}

export interface RobustnessProgress {
  /** Settings finished, of `settings`. */
  done: number;
  settings: number;
  series: string;
  label: string;
}

export interface MeasureRobustnessOptions {
  /** Default PublicTest. */
  split?: string;
  /** Of the protocol's images and of random perturbations. Default 0. */
  seed?: number;
  /** Default 3. */
  perClass?: number;
  /** Default 1000. */
  draws?: number;
  /** Default: the paper's two series, then every perturbation at its five severities. */
  series?: RobustnessSeries[];
  /** CPU threads of perturbing; 0, the default, means one a core. */
  threads?: number;
  onProgress?: (progress: RobustnessProgress) => void;
  /** Stops between settings by throwing the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Perturbs and classifies a split at every setting. Images are perturbed at the data set's size, before they are resized to the
 * network's input and normalised.
 * @throws {FerError} ERR_FER_ARGUMENT for a split that is absent or empty, or classes that are not the model's.
 */
export declare function measureRobustness(
  model: MiniXception,
  data: LabelledImages,
  options?: MeasureRobustnessOptions,
): Promise<RobustnessMeasurement>;

/** The paper's rotations and brightness factors with its figures. */
export declare const PAPER_SERIES: readonly RobustnessSeries[];
/** Every perturbation at its five severities. */
export declare const SEVERITY_SERIES: readonly RobustnessSeries[];
