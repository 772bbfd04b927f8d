/** The training options: one table that the type checks, the command line's flags, the help text and the documentation all come from. */
import { PRECISIONS, type Precision } from '../device.js';

/** In the order that help lists them; `presets.ts` says what each sets. */
export const PRESET_NAMES = ['quick', 'clean', 'robust', 'paper'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export interface TrainingConfig {
  preset: PresetName;
  /** "narrow", "wide" or "<stem>,<stem>:<module>,...". */
  width: string;
  inputSize: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  optimizer: 'sgd' | 'adam' | 'adamw';
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  clipNorm: number;
  labelSmoothing: number;
  balanceClasses: boolean;
  balancedSampling: number;
  rareAugmentation: number;
  emaDecay: number;
  schedule: 'plateau' | 'cosine' | 'one-cycle' | 'constant';
  warmupEpochs: number;
  minLearningRate: number;
  plateauMetric: 'loss' | 'accuracy';
  plateauFactor: number;
  plateauPatience: number;
  plateauThreshold: number;
  plateauCooldown: number;
  earlyStopping: number;
  selectBy: 'best' | 'last';
  seed: number;
  precision: Precision;
  flip: number;
  geometric: number;
  rotation: number;
  shift: number;
  zoom: number;
  fill: 'edge' | 'black';
  nearest: number;
  photometric: number;
  brightness: number;
  contrast: number;
  cutout: number;
  cutoutSize: number;
}

export type OptionSpec = { default: string | number | boolean; help: string } & (
  | { kind: 'integer' | 'number'; min: number; max: number }
  | { kind: 'boolean' }
  | { kind: 'choice'; choices: readonly string[] }
  | { kind: 'width' }
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
  precision: choice('fp32', PRECISIONS, 'what convolutions multiply in; the CPU has fp32 alone'),
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
