/** The options of all experiments: one table that the checks, the command line's flags and their help come from. */
import { FerError, invalidArgument } from '../errors.js';
import { suggestion } from '../suggestion.js';
import { resolveWidth, widthName } from '../network/width.js';
import { PRESET_NAMES, type PresetName, OPTIONS as TRAINING } from '../training/options.js';
import { paperGrid, type GridPoint } from './hyperparameters/grid.js';

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
  /** Models whose robustness is measured: files, or "package" for the package's own, the default. */
  models: string[];
  /** Where faces shown in the report come from. Default the data set. */
  images: 'data' | 'synthetic';
  /** Draws of 21 images. Default 1000. */
  draws: number;
}

/** What values an option takes, and how they are written on a command line. */
interface Kind<T> {
  /** After the flag in help: "<n>"; with "..." in it several words are taken. */
  takes: string;
  /** The only words there are. */
  choices?: readonly string[];
  /** The value that words stand for, unchecked. */
  read(words: readonly string[]): T | Promise<T>;
  /**
   * The value in its final form.
   * @throws {FerError} ERR_FER_ARGUMENT
   */
  check(value: T, name: string): T;
}

export interface OptionSpec<T> extends Kind<T> {
  default: T;
  /** The default in help, where the value itself would not say it. */
  shown?: string;
  /** One line. */
  help: string;
}

/** What is no number stays a word, so that the check can name it. */
const numberOf = (word: string): number => (word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : (word as never));

const whole = (min: number, max: number): Kind<number> => ({
  takes: '<n>',
  read: ([word]) => numberOf(word),
  check: (value, name) =>
    Number.isInteger(value) && value >= min && value <= max ? value : invalidArgument(name, `a whole number from ${min} to ${max}`, value),
});

const share: Kind<number> = {
  takes: '<x>',
  read: ([word]) => numberOf(word),
  check: (value, name) => (value > 0 && value <= 1 ? value : invalidArgument(name, 'a number above 0, at most 1', value)),
};

/** A word; `check` gives its final form. */
const word = <T extends string>(takes: string, check = (value: T, _name: string): T => value): Kind<T> => ({
  takes,
  read: ([given]) => given as T,
  check,
});

/** At least one value, none twice. */
const list = <T>({ takes, read, check }: Kind<T>): Kind<T[]> => ({
  takes: takes.replace('>', '...>'),
  read: (words) => Promise.all(words.map((each) => read([each]))),
  check: (values, name) => {
    if (!Array.isArray(values) || values.length === 0) invalidArgument(name, 'at least one value', values);
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    if (twice !== undefined) invalidArgument(name, 'values that differ', `${String(twice)} twice`);
    return values.map((value) => check(value, name));
  },
});

const oneOf = <T extends string>(takes: string, choices: readonly T[]): Kind<T> => {
  const expected = choices.join(', ').replace(/, ([^,]*)$/, ' or $1');
  return { ...word<T>(takes, (value, name) => (choices.includes(value) ? value : invalidArgument(name, expected, value))), choices };
};

/** Numbers by name; one without a name is for all. */
const epochs: Kind<Record<string, number>> = {
  takes: '<n|name=n,...>',
  read([text]) {
    const parts = text.split(',').map((part) => /^(?:([\w.-]+)=)?(\d+)$/.exec(part.trim()));
    if (parts.some((part) => !part) || (parts.length > 1 && parts.some((part) => !part![1])))
      invalidArgument('epochs', 'a whole number, or names with numbers such as narrow=100,wide=2', text);
    return Object.fromEntries(parts.map((part) => [part![1] ?? 'all', Number(part![2])]));
  },
  check(value) {
    for (const [name, each] of Object.entries(value)) whole(1, 100_000).check(each, `epochs of ${name}`);
    return value;
  },
};

const grid: Kind<GridPoint[]> = {
  takes: '<file>',
  read: async ([file]) => (await import('./hyperparameters/grid-file.js')).readGrid(file),
  check: (points, name) => (points.length > 0 ? points : invalidArgument(name, 'at least one point', 'none')),
};

/** The model that comes with the package, as a value of `models`. */
export const OWN_MODEL = 'package';

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
  models: { ...list(word('<file>')), default: [OWN_MODEL], help: `models to perturb; "${OWN_MODEL}" is the package's own` },
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
  const name = names.find((candidate) => options.epochs[candidate] !== undefined);
  return options.epochs[name ?? 'all'] ?? Math.max(1, Math.round(own * options.epochsScale));
}
