/** The options of experiments as flags: made from the one table in `experiments/options.ts`, never listed a second time. */
import { Option } from 'commander';
import { FerError } from '../errors.js';
import { OPTION_NAMES, OPTIONS, type ExperimentOptions, type OptionName } from '../experiments/options.js';
import { flagOf } from './training-flags.js';

/** Words of the options that were given. */
export type OptionFlags = { [K in OptionName]?: string | string[] };

export function optionFlag(name: OptionName): Option {
  const { takes, help, choices, default: standard, shown = [standard].flat().join(' ') } = OPTIONS[name];
  const flag = new Option(`${flagOf(name)} ${takes}`, `${help} [${shown}]`);
  return choices && !takes.includes('...') ? flag.choices(choices) : flag;
}

/** Only what was given, so that a folder's own options stand where nothing was; read, not yet checked. */
export async function givenOptions(flags: OptionFlags): Promise<Partial<ExperimentOptions>> {
  const given = OPTION_NAMES.flatMap((name) => (flags[name] === undefined ? [] : [{ name, words: [flags[name]].flat() }]));
  const read = given.map(async ({ name, words }) => [name, await inFlags(() => OPTIONS[name].read(words))]);
  return Object.fromEntries(await Promise.all(read)) as Partial<ExperimentOptions>;
}

/**
 * Does something with options, and tells what is wrong with one by its flag.
 * @throws {FerError} ERR_FER_USAGE
 */
export async function inFlags<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof FerError && cause.code === 'ERR_FER_ARGUMENT')) throw cause;
    const message = cause.message.replace(/for (\w+)$/, (_, key: string) => `for ${flagOf(key)}`);
    throw new FerError('ERR_FER_USAGE', message, { cause, details: cause.details });
  }
}
