/** The models that come with the package. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalidArgument } from './errors.js';

/** A trained model that comes with the package. */
export interface PretrainedModel {
  /** What it was trained for, in words. */
  readonly describe: string;
  /** Its safetensors file. The file's folder also holds its card (README.md), configuration and curves. */
  readonly file: string;
}

// Whole paths, so that what traces the files of a deployment finds them.
const NARROW = new URL('../models/mini-xception-narrow/model.safetensors', import.meta.url);
const ROBUST = new URL('../models/mini-xception-narrow-robust/model.safetensors', import.meta.url);

/** The models that come with the package, by the names that `MiniXception.pretrained` and `--model` take. The first is the default. */
export const PRETRAINED = {
  narrow: { describe: 'trained on FER2013 with preset clean: upright, evenly lit faces', file: fileURLToPath(NARROW) },
  robust: { describe: 'trained on tilted and differently lit faces too', file: fileURLToPath(ROBUST) },
} as const satisfies Record<string, PretrainedModel>;

/** The name of a model that comes with the package. */
export type PretrainedName = keyof typeof PRETRAINED;

/** All names, the default first. */
export const PRETRAINED_NAMES = Object.keys(PRETRAINED) as PretrainedName[];

const isPretrained = (name: string): name is PretrainedName => Object.hasOwn(PRETRAINED, name);

/**
 * The file of a model that comes with the package.
 * @throws {FerError} ERR_FER_ARGUMENT for a name that is not in `PRETRAINED`.
 */
export function pretrainedFile(name: string): string {
  return isPretrained(name)
    ? PRETRAINED[name].file
    : invalidArgument('the pretrained model', `one of ${PRETRAINED_NAMES.join(', ')}`, name);
}

/**
 * The file that a name or path means; a file with the name of a model is reached by a path, such as ./narrow.
 * @throws {FerError} ERR_FER_ARGUMENT for a bare word that is neither a name nor a file.
 */
export function modelFileOf(nameOrPath: string): string {
  if (isPretrained(nameOrPath)) return PRETRAINED[nameOrPath].file;
  const bareWord = /^\w+$/.test(nameOrPath);
  if (bareWord && !existsSync(nameOrPath)) invalidArgument('the model', `${PRETRAINED_NAMES.join(', ')} or a file`, nameOrPath);
  return nameOrPath;
}

/** "mini-xception-narrow" of mini-xception-narrow/model.safetensors, else the file's name without its extension. */
export function modelName(nameOrPath: string): string {
  const { name, dir } = path.parse(modelFileOf(nameOrPath));
  return ['model', 'best', 'last'].includes(name) && path.basename(dir) !== '' ? path.basename(dir) : name;
}
