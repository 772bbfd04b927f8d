/** Options that several commands share, and how their text becomes values. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FerError } from '../errors.js';

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number from 0.');
  return value;
}

/** --device and --threads. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(new Option('--device <name>', 'where to compute; nothing falls back to another device').choices(['cpu', 'cuda']).default('cpu'))
    .option('--threads <n>', 'CPU threads; 0: one a core', wholeNumber, 0);
}

/** --data, --skip-bad-rows and --no-cache. */
export function addDataOptions(command: Command, describe: string): Command {
  return command
    .option('-d, --data <path>', describe)
    .option('--skip-bad-rows', 'count and list malformed rows instead of stopping at the first', false)
    .option('--no-cache', 'neither read nor write the packed copy in the cache folder');
}

const DEFAULT_MODEL = fileURLToPath(new URL('../../models/mini-xception-narrow/model.safetensors', import.meta.url));

/** --model, by default the one in the package. */
export function addModelOption(command: Command): Command {
  return command.option('-m, --model <file>', '.safetensors or Keras .hdf5 model (default: the one that comes with the package)');
}

export function modelPath(given: string | undefined): string {
  if (given !== undefined) return given;
  if (existsSync(DEFAULT_MODEL)) return DEFAULT_MODEL;
  throw new FerError('ERR_FER_USAGE', 'this build comes without a model; name one with --model');
}
