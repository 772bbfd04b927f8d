/** The training options as flags: made from the one table in `training/config.ts`, never listed a second time. */
import { Option, type Command } from 'commander';
import { FerError } from '../errors.js';
import { resolveConfig } from '../training/config.js';
import { OPTIONS, type OptionSpec, type TrainingConfig } from '../training/options.js';
import { PRESETS } from '../training/presets.js';
import { numberOf } from './options.js';

type Key = keyof TrainingConfig;

/** Headings in the help. An option named in none of them stands under "Training:". */
const GROUPS: Readonly<Record<string, readonly Key[]>> = {
  'Optimiser:': ['optimizer', 'momentum', 'nesterov', 'weightDecay', 'beta1', 'beta2', 'epsilon', 'clipNorm'],
  'Learning-rate schedule:': [
    'schedule',
    'warmupEpochs',
    'minLearningRate',
    'plateauMetric',
    'plateauFactor',
    'plateauPatience',
    'plateauThreshold',
    'plateauCooldown',
  ],
  'Distillation:': ['teacher', 'distill', 'temperature'],
  'Class balance:': ['balanceClasses', 'balancedSampling', 'rareAugmentation'],
  'Augmentation (every part off unless its probability is above 0):': [
    'flip',
    'geometric',
    'rotation',
    'shift',
    'zoom',
    'fill',
    'nearest',
    'photometric',
    'brightness',
    'contrast',
    'cutout',
    'cutoutSize',
  ],
};

const KEYS = Object.keys(OPTIONS) as Key[];

/** learningRate -> --learning-rate */
export const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** "[0.006; paper: 0.01]": the value without any flag, and the presets that differ from it. */
function defaults(key: Key): string {
  if (key === 'preset') return '[clean with --data, else quick]';
  const value = (preset: keyof typeof PRESETS): unknown => PRESETS[preset].options[key] ?? OPTIONS[key].default;
  const byValue = new Map<unknown, string[]>();
  for (const preset of Object.keys(PRESETS) as (keyof typeof PRESETS)[])
    byValue.set(value(preset), [...(byValue.get(value(preset)) ?? []), preset]);
  if (byValue.size === 1) return `[${String([...byValue.keys()][0]) || 'none'}]`;
  return `[${[...byValue].map(([shown, presets]) => `${presets.join(', ')}: ${String(shown)}`).join('; ')}]`;
}

function placeholder(option: OptionSpec): string {
  switch (option.kind) {
    case 'integer':
      return ' <n>';
    case 'number':
      return ' <x>';
    case 'choice':
      return ` <${option.choices.join('|')}>`;
    case 'width':
      return ' <width>';
    case 'models':
      return ' <model...>';
    default:
      return '';
  }
}

/** Adds a flag for every training option; one for a boolean has a `--no-` form too. */
export function addTrainingFlags(command: Command): void {
  const grouped = new Map(Object.entries(GROUPS).flatMap(([heading, keys]) => keys.map((key): [Key, string] => [key, heading])));
  for (const key of KEYS) {
    const option = OPTIONS[key];
    const flag = flagOf(key);
    const heading = grouped.get(key) ?? 'Training:';
    const made = new Option(`${flag}${placeholder(option)}`, `${option.help} ${defaults(key)}`).helpGroup(heading);
    if (option.kind === 'integer' || option.kind === 'number') made.argParser(numberOf(flag));
    command.addOption(made);
    if (option.kind === 'boolean') command.addOption(new Option(flag.replace('--', '--no-'), `not so`).helpGroup(heading).hideHelp());
  }
}

/** The training options among a command's parsed flags: only those that were given. */
export function givenTrainingOptions(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(KEYS.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]));
}

/** An option's error in the words of the command line: its end names the flag. */
const withFlag = (message: string, key: string): string =>
  message.endsWith(`for ${key}`) ? message.slice(0, -key.length) + flagOf(key) : message;

/**
 * Checks what the flags set, on top of `base`.
 * @throws {FerError} ERR_FER_USAGE, naming the flag.
 */
export function resolveFlags(base: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): TrainingConfig {
  try {
    return resolveConfig({ ...base, ...given });
  } catch (cause) {
    if (!(cause instanceof FerError)) throw cause;
    const key = Object.keys(given).find((name) => name === cause.details.key);
    if (!key) throw cause;
    throw new FerError('ERR_FER_USAGE', withFlag(cause.message, key), {
      cause,
      details: { flag: flagOf(key) },
    });
  }
}
