/** The options of all experiments: one table that the checks, the command line's flags and their help come from. */
import { PRECISIONS, type Precision } from '../device.js';
import { FerError, invalidArgument } from '../errors.js';
import { isObject } from '../json.js';
import { suggestion } from '../suggestion.js';
import { resolveWidth, widthName } from '../network/width.js';
import { PRESET_NAMES, type PresetName, OPTIONS as TRAINING } from '../training/options.js';
import { paperGrid, POINT_NAME, POINT_NAME_WORDS, type GridPoint } from './hyperparameters/grid.js';
import { PRETRAINED_NAMES } from '../pretrained.js';
import { epochs, list, oneOf, share, whole, word, type Kind, type OptionSpec } from './option-kinds.js';

/** Options of the experiments; each reads its own of them. */
export interface ExperimentOptions {
  /** Widths to compare: names or the text form. Default narrow and wide. */
  widths: string[];
  /** Training protocols to compare the widths under. Default paper. */
  presets: PresetName[];
  /** Hyperparameters to compare; see `readGrid`. Default the paper's C1 to C4. */
  grid: GridPoint[];
  /** One training a seed. Default 0 alone. */
  seeds: number[];
  /** Epochs by name of a width, width and preset, or grid point; "all" for all. Default what the preset or the grid says. */
  epochs: Record<string, number>;
  /** Share of the epochs that are run where `epochs` says nothing, above 0 to 1; at least one epoch is. Default 1. */
  epochsScale: number;
  /** Side of the network's input, pixels. Default 48. */
  inputSize: number;
  /** What convolutions multiply in while training, where a grid's point says nothing. Default fp32. */
  precision: Precision;
  /** Models whose robustness is measured: names of `PRETRAINED` or files. Default narrow. */
  models: string[];
  /** Where faces shown in the report come from. Default the data set. */
  images: 'data' | 'synthetic';
  /** Draws of 21 images. Default 1000. */
  draws: number;
}

const grid: Kind<GridPoint[]> = {
  takes: '<file>',
  read: async ([file]) => (await import('./hyperparameters/grid-file.js')).readGrid(file),
  check(points, name) {
    if (!Array.isArray(points) || points.length === 0) invalidArgument(name, 'at least one point', points);
    for (const [i, point] of points.entries()) {
      if (!isObject(point) || typeof point.name !== 'string' || !POINT_NAME.test(point.name) || !isObject(point.config))
        invalidArgument(name, `points with ${POINT_NAME_WORDS}, and options`, point);
      if (points.findIndex((other) => other.name === point.name) !== i)
        invalidArgument(name, 'points with different names', `${point.name} twice`);
    }
    return points;
  },
};

/** Every option: what it takes, its default and its line of help. An experiment names those that it reads, in `registry.ts`. */
export const OPTIONS: { readonly [K in keyof ExperimentOptions]: OptionSpec<ExperimentOptions[K]> } = {
  widths: {
    ...list(word('<width>', (width) => widthName(resolveWidth(width)))),
    default: ['narrow', 'wide'],
    help: 'narrow, wide, or your own such as 8,8:16,32,64',
  },
  presets: {
    ...list(oneOf('<name>', PRESET_NAMES)),
    default: ['paper'],
    help: `training protocols: ${PRESET_NAMES.join(', ')}`,
  },
  grid: { ...grid, default: paperGrid(), shown: "the paper's C1 to C4", help: 'YAML file of settings to compare' },
  seeds: { ...list(whole(0, Number.MAX_SAFE_INTEGER)), default: [0], help: 'one training a seed' },
  epochs: { ...epochs, default: {}, shown: 'in full', help: 'epochs of all, or by width (narrow=100,wide=2) or setting (C1=3)' },
  epochsScale: { ...share, default: 1, help: 'share of the epochs to run' },
  inputSize: { ...whole(8, 512), default: TRAINING.inputSize.default as number, help: "side of the network's input, pixels" },
  precision: {
    ...oneOf('<name>', PRECISIONS),
    default: 'fp32',
    help: 'what convolutions multiply in while training: fp32, bf16, or tf32 on GPUs',
  },
  models: { ...list(word('<model>')), default: [PRETRAINED_NAMES[0]], help: `models to perturb: ${PRETRAINED_NAMES.join(', ')}, or files` },
  images: { ...oneOf('<source>', ['data', 'synthetic']), default: 'data', help: 'faces that the report shows' },
  draws: { ...whole(1, 1_000_000), default: 1000, help: 'draws of 21 images' },
};

export type OptionName = keyof ExperimentOptions;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/**
 * Defaults under `given`, checked.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function resolveOptions(given: Partial<ExperimentOptions>): ExperimentOptions {
  for (const [key, value] of Object.entries(given))
    if (value !== undefined && !Object.hasOwn(OPTIONS, key))
      throw new FerError(
        'ERR_FER_ARGUMENT',
        `unknown option ${JSON.stringify(key)}; did you mean ${JSON.stringify(suggestion(key, OPTION_NAMES))}?`,
      );
  const checked = <K extends OptionName>(name: K): [K, unknown] => [name, OPTIONS[name].check(given[name] ?? OPTIONS[name].default, name)];
  return Object.fromEntries(OPTION_NAMES.map(checked)) as unknown as ExperimentOptions;
}

/** Epochs of a cell: its own, then everyone's, then the scaled share of what its protocol has. */
export function epochsFor(options: ExperimentOptions, names: readonly string[], own: number): number {
  const name = names.find((candidate) => Object.hasOwn(options.epochs, candidate));
  return options.epochs[name ?? 'all'] ?? Math.max(1, Math.round(own * options.epochsScale));
}
