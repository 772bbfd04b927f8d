/** The models that come with the package. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalidArgument } from './errors.js';

/** A trained model that comes with the package. */
export interface PretrainedModel {
  /** What it was trained on, in words. */
  readonly describe: string;
  /** Its safetensors file. The file's folder also holds its card (README.md), evaluation and configuration. */
  readonly file: string;
}

/** The name of a model that comes with the package. */
export type PretrainedName = 'narrow' | 'robust';

/** The models that come with the package, by the names that `MiniXception.pretrained` and `--model` take. The first is the default. */
export const PRETRAINED: Readonly<Record<PretrainedName, PretrainedModel>> = {
  // Whole paths, so that what traces the files of a deployment finds them.
  narrow: {
    describe: '56,951 parameters, preset clean: for upright, evenly lit faces',
    get file() {
      return fileURLToPath(new URL('../models/mini-xception-narrow/model.safetensors', import.meta.url));
    },
  },
  robust: {
    describe: 'the same network, preset robust: for tilted and unevenly lit faces, too',
    get file() {
      return fileURLToPath(new URL('../models/mini-xception-narrow-robust/model.safetensors', import.meta.url));
    },
  },
};

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

/** How often a packaged model is right when its pictures are perturbed: one curve a perturbation. */
export interface RobustnessCurve {
  /** The perturbation, and its parameter on the curve's axis. */
  type: string;
  parameter: string;
  /** By rising strength, the picture as it is among them. Accuracy: 0..1, of `images`. */
  points: { value: number; accuracy: number }[];
}

/** What the robustness experiment measured of a packaged model on PrivateTest; undefined for other models. */
export async function robustnessOf(name: string): Promise<{ images: number; curves: RobustnessCurve[] } | undefined> {
  if (!isPretrained(name)) return undefined;
  const file = path.join(path.dirname(PRETRAINED[name].file), 'robustness.json');
  return JSON.parse(await readFile(file, 'utf8')) as { images: number; curves: RobustnessCurve[] };
}
