/** The training options: one table that the type checks, the command line's flags, the help text and the documentation all come from. */
import { PRECISIONS, type Precision } from '../device.js';

/** In the order that help lists them; `presets.ts` says what each sets. */
export const PRESET_NAMES = ['quick', 'clean', 'robust', 'paper'] as const;
/** A named starting point; see `PRESETS`. */
export type PresetName = (typeof PRESET_NAMES)[number];

/** Every option of a training. The defaults named here hold before a preset. */
export interface TrainingConfig {
  /** Starting point for all other options. Default "quick". */
  preset: PresetName;
  /** Narrow (8~128), wide (64~1024), or your own such as 8,8:16,32,64. Default "narrow". */
  width: string;
  /** Side of the network input, pixels. 8 to 512, default 48. */
  inputSize: number;
  /** Passes over the training split. 1 to 100000, default 40. */
  epochs: number;
  /** Images a step. 1 to 4096, default 64. */
  batchSize: number;
  /** Learning rate; the peak of a cosine or one-cycle schedule. 0 to 100, default 0.01. */
  learningRate: number;
  /** Optimiser. Default "sgd". */
  optimizer: 'sgd' | 'adam' | 'adamw';
  /** Momentum of SGD. 0 to 1, default 0.9. */
  momentum: number;
  /** Nesterov's momentum for SGD. Default false. */
  nesterov: boolean;
  /** Weight decay. 0 to 10, default 0. */
  weightDecay: number;
  /** Adam's first decay. 0 to 0.999999, default 0.9. */
  beta1: number;
  /** Adam's second decay. 0 to 0.999999, default 0.999. */
  beta2: number;
  /** Adam's epsilon. 0 to 1, default 1e-8. */
  epsilon: number;
  /** Largest global gradient norm; 0: no clipping. 0 to 1000000, default 0. */
  clipNorm: number;
  /** Label smoothing. 0 to 1, default 0. */
  labelSmoothing: number;
  /** Models to learn from beside the labels: files, or names of packaged ones. Default none. */
  teacher: string[];
  /** Share of the teachers in the loss. 0 to 1, default 0.7. */
  distill: number;
  /** Temperature that softens what teachers say. 0.1 to 100, default 4. */
  temperature: number;
  /** Weight classes in the loss by the inverse of their frequency. Default false. */
  balanceClasses: boolean;
  /** Draw rare classes more often, common ones less: 0: every image once an epoch, 1: every class equally often. 0 to 1, default 0. */
  balancedSampling: number;
  /** Widen the ranges of augmentation for classes below the mean count: by up to this share. 0 to 4, default 0. */
  rareAugmentation: number;
  /** Decay a step of the averaged weights that are evaluated and kept; 0: no averaging. 0 to 1, default 0. */
  emaDecay: number;
  /** Learning-rate schedule. Default "constant". */
  schedule: 'plateau' | 'cosine' | 'one-cycle' | 'constant';
  /** Linear warm-up, epochs. 0 to 1000, default 0. */
  warmupEpochs: number;
  /** Floor of the plateau and cosine schedules. 0 to 100, default 0. */
  minLearningRate: number;
  /** Validation figure that the plateau schedule watches. Default "loss". */
  plateauMetric: 'loss' | 'accuracy';
  /** Factor of each reduction. 0 to 1, default 0.1. */
  plateauFactor: number;
  /** Epochs without improvement that are tolerated. 0 to 10000, default 10. */
  plateauPatience: number;
  /** Relative change that counts as improvement. 0 to 1, default 0.0001. */
  plateauThreshold: number;
  /** Epochs to wait after a reduction. 0 to 10000, default 0. */
  plateauCooldown: number;
  /** Stop after so many epochs without a better validation accuracy; 0: never. 0 to 10000, default 0. */
  earlyStopping: number;
  /** Which epoch is kept: best on validation, or last. Default "best". */
  selectBy: 'best' | 'last';
  /** Seed of weights, shuffling and augmentation. From 0, default 0. */
  seed: number;
  /** What convolutions multiply in; tf32 on GPUs only. Default "fp32". */
  precision: Precision;
  /** Probability of a horizontal flip. 0 to 1, default 0. */
  flip: number;
  /** Probability of rotation, shift and zoom. 0 to 1, default 0. */
  geometric: number;
  /** Largest rotation, degrees. 0 to 180, default 0. */
  rotation: number;
  /** Largest shift, fraction of the side. 0 to 1, default 0. */
  shift: number;
  /** Largest relative change of scale. 0 to 0.9, default 0. */
  zoom: number;
  /** What geometry brings in from outside: the edge repeated, or black. Default "edge". */
  fill: 'edge' | 'black';
  /** Probability that geometry reads the nearest pixel instead of interpolating. 0 to 1, default 0. */
  nearest: number;
  /** Probability of a change in brightness and contrast. 0 to 1, default 0. */
  photometric: number;
  /** Largest relative change of brightness. 0 to 1, default 0. */
  brightness: number;
  /** Largest relative change of contrast. 0 to 1, default 0. */
  contrast: number;
  /** Probability of a cut-out square. 0 to 1, default 0. */
  cutout: number;
  /** Largest side of the cut-out, fraction of the side. 0 to 1, default 0. */
  cutoutSize: number;
}

export type OptionSpec = { default: string | number | boolean | readonly string[]; help: string } & (
  | { kind: 'integer' | 'number'; min: number; max: number }
  | { kind: 'boolean' }
  | { kind: 'choice'; choices: readonly string[] }
  | { kind: 'width' }
  | { kind: 'models' }
);

const integer = (value: number, min: number, max: number, help: string): OptionSpec => ({
  kind: 'integer',
  default: value,
  min,
  max,
  help,
});
const number = (value: number, min: number, max: number, help: string): OptionSpec => ({ kind: 'number', default: value, min, max, help });
const boolean = (value: boolean, help: string): OptionSpec => ({ kind: 'boolean', default: value, help });
const choice = (value: string, choices: readonly string[], help: string): OptionSpec => ({ kind: 'choice', default: value, choices, help });

/** Every option: its kind, range, default (before a preset) and one line of help. */
export const OPTIONS: Readonly<Record<keyof TrainingConfig, OptionSpec>> = {
  preset: choice('quick', PRESET_NAMES, 'starting point for all other options'),
  width: { kind: 'width', default: 'narrow', help: 'narrow (8~128), wide (64~1024), or your own such as 8,8:16,32,64' },
  inputSize: integer(48, 8, 512, 'side of the network input, pixels'),
  epochs: integer(40, 1, 100_000, 'passes over the training split'),
  batchSize: integer(64, 1, 4096, 'images a step'),
  learningRate: number(0.01, 0, 100, 'learning rate; the peak of a cosine or one-cycle schedule'),
  optimizer: choice('sgd', ['sgd', 'adam', 'adamw'], 'optimiser'),
  momentum: number(0.9, 0, 1, 'momentum of SGD'),
  nesterov: boolean(false, "Nesterov's momentum for SGD"),
  weightDecay: number(0, 0, 10, 'weight decay'),
  beta1: number(0.9, 0, 0.999999, "Adam's first decay"),
  beta2: number(0.999, 0, 0.999999, "Adam's second decay"),
  epsilon: number(1e-8, 0, 1, "Adam's epsilon"),
  clipNorm: number(0, 0, 1e6, 'largest global gradient norm; 0: no clipping'),
  labelSmoothing: number(0, 0, 1, 'label smoothing'),
  teacher: { kind: 'models', default: [], help: 'models to learn from beside the labels: files, or names of packaged ones' },
  distill: number(0.7, 0, 1, 'share of the teachers in the loss'),
  temperature: number(4, 0.1, 100, 'temperature that softens what teachers say'),
  balanceClasses: boolean(false, 'weight classes in the loss by the inverse of their frequency'),
  balancedSampling: number(
    0,
    0,
    1,
    'draw rare classes more often, common ones less: 0: every image once an epoch, 1: every class equally often',
  ),
  rareAugmentation: number(0, 0, 4, 'widen the ranges of augmentation for classes below the mean count: by up to this share'),
  emaDecay: number(0, 0, 1, 'decay a step of the averaged weights that are evaluated and kept; 0: no averaging'),
  schedule: choice('constant', ['plateau', 'cosine', 'one-cycle', 'constant'], 'learning-rate schedule'),
  warmupEpochs: number(0, 0, 1000, 'linear warm-up, epochs'),
  minLearningRate: number(0, 0, 100, 'floor of the plateau and cosine schedules'),
  plateauMetric: choice('loss', ['loss', 'accuracy'], 'validation figure that the plateau schedule watches'),
  plateauFactor: number(0.1, 0, 1, 'factor of each reduction'),
  plateauPatience: integer(10, 0, 10_000, 'epochs without improvement that are tolerated'),
  plateauThreshold: number(1e-4, 0, 1, 'relative change that counts as improvement'),
  plateauCooldown: integer(0, 0, 10_000, 'epochs to wait after a reduction'),
  earlyStopping: integer(0, 0, 10_000, 'stop after so many epochs without a better validation accuracy; 0: never'),
  selectBy: choice('best', ['best', 'last'], 'which epoch is kept: best on validation, or last'),
  seed: integer(0, 0, Number.MAX_SAFE_INTEGER, 'seed of weights, shuffling and augmentation'),
  precision: choice('fp32', PRECISIONS, 'what convolutions multiply in; tf32 on GPUs only'),
  flip: number(0, 0, 1, 'probability of a horizontal flip'),
  geometric: number(0, 0, 1, 'probability of rotation, shift and zoom'),
  rotation: number(0, 0, 180, 'largest rotation, degrees'),
  shift: number(0, 0, 1, 'largest shift, fraction of the side'),
  zoom: number(0, 0, 0.9, 'largest relative change of scale'),
  fill: choice('edge', ['edge', 'black'], 'what geometry brings in from outside: the edge repeated, or black'),
  nearest: number(0, 0, 1, 'probability that geometry reads the nearest pixel instead of interpolating'),
  photometric: number(0, 0, 1, 'probability of a change in brightness and contrast'),
  brightness: number(0, 0, 1, 'largest relative change of brightness'),
  contrast: number(0, 0, 1, 'largest relative change of contrast'),
  cutout: number(0, 0, 1, 'probability of a cut-out square'),
  cutoutSize: number(0, 0, 1, 'largest side of the cut-out, fraction of the side'),
};
