/** Flags that several commands share, and how their values are read. A value that cannot be read is a usage error. */
import { Option, type Command } from 'commander';
import type { Box } from '../data/image.js';
import { CLASS_ORDERS, isClassOrder, type ClassMap } from '../data/class-names.js';
import type { Reading } from '../data/data-set.js';
import type { LoadOptions } from '../data/form.js';
import { DEFAULT_DEVICE, DEVICE_NAMES, isDevice, PRECISIONS, type Device, type DeviceOptions } from '../device.js';
import { FerError } from '../errors.js';
import { PRETRAINED_NAMES } from '../pretrained.js';

/** "expected …, got …, for --flag", exit status 2. */
export function usageError(flag: string, expected: string, got: string): FerError {
  return new FerError('ERR_FER_USAGE', `expected ${expected}, got ${JSON.stringify(got)}, for ${flag}`, { details: { flag } });
}

/** A reader of numbers for one flag; the whole text must be a number. */
export function numberOf(flag: string, expected = 'a number'): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) throw usageError(flag, expected, text);
    return value;
  };
}

/** A reader of whole numbers within a range, both ends included. */
export function wholeNumberOf(flag: string, min: number, max: number): (text: string) => number {
  const expected = `a whole number from ${min} to ${max}`;
  const read = numberOf(flag, expected);
  return (text) => {
    const value = read(text);
    if (!Number.isInteger(value) || value < min || value > max) throw usageError(flag, expected, text);
    return value;
  };
}

export function boxOf(text: string): Box {
  const parts = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  const [left, top, width, height] = parts;
  if (parts.length !== 4 || parts.some(Number.isNaN) || width < 1 || height < 1)
    throw usageError('--box', 'x,y,width,height in whole pixels, such as 120,80,200,200', text);
  return { left, top, width, height };
}

export type DeviceFlags = DeviceOptions;

export function deviceOf(text: string): Device {
  if (!isDevice(text)) throw usageError('--device', DEVICE_NAMES, text);
  return text;
}

/** `--device`, `--threads` and, where it is not among the training options already, `--precision`. */
export function addDeviceFlags(command: Command): Command {
  if (!command.options.some(({ long }) => long === '--precision'))
    command.addOption(
      new Option('--precision <name>', 'what convolutions multiply in; tf32 on GPUs only [fp32]').choices(PRECISIONS).helpGroup('Device:'),
    );
  return command
    .optionsGroup('Device:')
    .option('--device <name>', `${DEVICE_NAMES}; only auto falls back to the CPU [${DEFAULT_DEVICE}]`, deviceOf)
    .addOption(new Option('--threads <n>', 'CPU threads; 0: one a core').default(0, '0').argParser(wholeNumberOf('--threads', 0, 1024)));
}

export interface DataFlags {
  data?: string;
  skipBadRows?: boolean;
  cache?: boolean;
  /** An order's name, or a YAML file. */
  classes?: string;
  splitBy?: Reading['splitBy'];
  splitSeed?: number;
  votes?: Reading['votes'];
}

/** Those that decide what a data set holds. */
export const READING_FLAGS = ['classes', 'splitBy', 'splitSeed', 'votes'] as const satisfies (keyof DataFlags)[];

/** How a data set is read; the path itself is each command's own. */
export function addLoadFlags(command: Command): Command {
  return command
    .optionsGroup('Reading data:')
    .option('--skip-bad-rows', 'leave out malformed rows, counted and listed, instead of stopping at the first')
    .option('--no-cache', 'neither read nor write the packed copy in the user cache folder')
    .option(
      '--classes <map>',
      `whose numbers classes are (${Object.keys(CLASS_ORDERS).join(', ')}), or a YAML file: "their name: other name" a line, null to leave a class out [by their names]`,
    )
    .addOption(
      new Option('--split-by <unit>', 'divide a data set without splits into Training, PublicTest and PrivateTest, 8:1:1').choices([
        'random',
        'subject',
      ]),
    )
    .option('--split-seed <n>', 'seed of that division [0]', wholeNumberOf('--split-seed', 0, Number.MAX_SAFE_INTEGER))
    .addOption(
      new Option('--votes <use>', "FER+'s votes: the majority's class, or drawn from them anew each epoch [majority]").choices([
        'majority',
        'soft',
      ]),
    )
    .optionsGroup('Options:');
}

/**
 * The same as `loadDataSet` takes them.
 * @throws {FerError} ERR_FER_CONFIG for a map that cannot be read.
 */
export async function loadOptions(flags: DataFlags, size: number | undefined): Promise<LoadOptions> {
  const { skipBadRows, cache, splitBy, splitSeed, votes } = flags;
  return { size, skipBadRows, cache, splitBy, splitSeed, votes, classes: await classesOf(flags.classes) };
}

async function classesOf(given: string | undefined): Promise<Reading['classes']> {
  if (given === undefined || isClassOrder(given)) return given;
  const { configError, readYamlMap } = await import('../yaml-file.js');
  const map = await readYamlMap(given, 'a line a class, such as "contempt: null" or "joy: happy"');
  for (const [name, to] of Object.entries(map))
    if (to !== null && typeof to !== 'string')
      throw configError(given, `${name}: expected the name of a class or null, got ${JSON.stringify(to)}`);
  return map as ClassMap;
}

/** `--model`; `use` is what it is asked for, such as "model to ask". */
export function addModelFlag(command: Command, use: string): Command {
  const names = PRETRAINED_NAMES.join(' or ');
  return command.addOption(
    new Option('--model <model>', `${use}: ${names}, which come with the package, or a file`).default(PRETRAINED_NAMES[0]),
  );
}
