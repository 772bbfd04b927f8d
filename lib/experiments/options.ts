/** The options of all experiments: one flat list, its defaults and its checks. */
import { FerError, invalidArgument } from '../errors.js';
import { nearest } from '../nearest.js';
import { OPTIONS } from '../training/options.js';
import { PRESETS } from '../training/presets.js';
import type { PresetName } from '../training/options.js';
import { resolveWidth, widthName } from '../network/width.js';
import { paperGrid, type GridPoint } from './hyperparameters/grid.js';

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
  /** Models whose robustness is measured: files, or "package" for the package's own, the default. */
  models: string[];
  /** Where faces shown in the report come from. Default the data set. */
  images: 'data' | 'synthetic';
  /** Draws of 21 images. Default 1000. */
  draws: number;
}

/** The model that comes with the package, as a value of `models`. */
export const OWN_MODEL = 'package';

const DEFAULTS: ExperimentOptions = {
  widths: ['narrow', 'wide'],
  presets: ['paper'],
  grid: paperGrid(),
  seeds: [0],
  epochs: {},
  epochsScale: 1,
  inputSize: OPTIONS.inputSize.default as number,
  models: [OWN_MODEL],
  images: 'data',
  draws: 1000,
};

const KEYS = Object.keys(DEFAULTS) as (keyof ExperimentOptions)[];

/**
 * Defaults under `given`, checked.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function resolveOptions(given: Partial<ExperimentOptions>): ExperimentOptions {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [key] of entries)
    if (!KEYS.includes(key as keyof ExperimentOptions))
      throw new FerError('ERR_FER_ARGUMENT', `unknown option ${JSON.stringify(key)}; did you mean ${JSON.stringify(nearest(key, KEYS))}?`);
  const options = { ...DEFAULTS, ...(Object.fromEntries(entries) as Partial<ExperimentOptions>) };
  options.widths = list('widths', options.widths).map((width) => widthName(resolveWidth(width)));
  for (const preset of list('presets', options.presets))
    if (!Object.hasOwn(PRESETS, preset)) invalidArgument('presets', Object.keys(PRESETS).join(', '), preset);
  list('models', options.models);
  for (const seed of list('seeds', options.seeds)) whole('seeds', seed, 0, Number.MAX_SAFE_INTEGER);
  for (const [name, epochs] of Object.entries(options.epochs)) whole(`epochs of ${name}`, epochs, 1, 100_000);
  if (!(options.epochsScale > 0 && options.epochsScale <= 1))
    invalidArgument('epochsScale', 'a number above 0, at most 1', options.epochsScale);
  whole('inputSize', options.inputSize, 8, 512);
  whole('draws', options.draws, 1, 1_000_000);
  if (options.images !== 'data' && options.images !== 'synthetic') invalidArgument('images', 'data or synthetic', options.images);
  if (options.grid.length === 0) invalidArgument('grid', 'at least one point', 'none');
  return options;
}

/** Epochs of a cell: its own, then everyone's, then the scaled share of what its protocol has. */
export function epochsFor(options: ExperimentOptions, names: readonly string[], own: number): number {
  const name = names.find((candidate) => options.epochs[candidate] !== undefined);
  return options.epochs[name ?? 'all'] ?? Math.max(1, Math.round(own * options.epochsScale));
}

function list<T>(name: string, values: readonly T[]): readonly T[] {
  if (!Array.isArray(values) || values.length === 0) invalidArgument(name, 'at least one value', values);
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) invalidArgument(name, 'values that differ', `${String(twice)} twice`);
  return values;
}

function whole(name: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    invalidArgument(name, `a whole number from ${min} to ${max}`, value);
}
