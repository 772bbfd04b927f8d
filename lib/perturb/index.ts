/** Perturbed images: the paper's rotations and brightness, ImageNet-C's kinds, and light that falls on part of a face. */
import { greyPicture, type GreyPicture, type ImageBatch, type ImageInput } from '../data/image.js';
import { sensibleThreads } from '../device.js';
import { invalidArgument } from '../errors.js';
import { native } from '../native.js';
import { definitionOf, type Perturbation } from './registry.js';
import { complete } from './settings.js';

export { PERTURBATIONS, PERTURBATION_TYPES, atSeverity, type Perturbation, type PerturbationType } from './registry.js';
export { SEVERITIES, type Definition, type Fill, type Interpolation, type Parameter, type Severity } from './definition.js';

/** What is drawn, and with how many threads. */
export interface PerturbOptions {
  /** Seed of what is drawn: noise, places, directions. Default 0. */
  seed?: number;
  /** Each image's row, which its draws depend on beside the seed. Default 0, 1, 2, ... */
  rows?: Uint32Array;
  /** CPU threads; 0, the default, means one a core. More than four a core become four, with a warning. */
  threads?: number;
}

/**
 * Perturbs one picture or many, by one perturbation or several in turn; the result has the input's form. Pictures become grey and
 * keep their size (but for a rotation of size "loose").
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND
 */
export function perturb(input: ImageInput, spec: Perturbation | Perturbation[], options?: PerturbOptions): Promise<GreyPicture>;
export function perturb(inputs: ImageInput[], spec: Perturbation | Perturbation[], options?: PerturbOptions): Promise<GreyPicture[]>;
export async function perturb(
  inputs: ImageInput | ImageInput[],
  spec: Perturbation | Perturbation[],
  options: PerturbOptions = {},
): Promise<GreyPicture | GreyPicture[]> {
  const list = Array.isArray(inputs) ? inputs : [inputs];
  const images = await Promise.all(list.map((input) => greyPicture(input)));
  const rows = rowsOf(options, list.length);
  const perturbed = new Array<GreyPicture>(list.length);
  // Images of one size go together.
  const groups = new Map<string, number[]>();
  images.forEach(({ width, height }, i) => {
    const members = groups.get(`${width}x${height}`);
    if (members) members.push(i);
    else groups.set(`${width}x${height}`, [i]);
  });
  for (const members of groups.values()) {
    const { width, height } = images[members[0]];
    const pixels = new Uint8Array(members.length * width * height);
    members.forEach((i, at) => pixels.set(images[i].pixels, at * width * height));
    const batch = { images: pixels, count: members.length, width, height };
    const result = await perturbBatch(batch, spec, { ...options, rows: Uint32Array.from(members, (i) => rows[i]) });
    const each = result.width * result.height;
    members.forEach((i, at) => {
      perturbed[i] = { pixels: result.images.slice(at * each, (at + 1) * each), width: result.width, height: result.height };
    });
  }
  return Array.isArray(inputs) ? perturbed : perturbed[0];
}

/**
 * Perturbs many images of one size in one native call; the same pixels as `perturb`.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export async function perturbBatch(
  batch: ImageBatch,
  spec: Perturbation | Perturbation[],
  options: PerturbOptions = {},
): Promise<ImageBatch> {
  const { count, width, height } = batch;
  if (!(batch.images instanceof Uint8Array) || batch.images.length !== count * width * height || !(batch.images.length > 0))
    invalidArgument('batch', 'count x height x width bytes, at least one', batch.images?.length);
  const { seed = 0 } = options;
  const threads = sensibleThreads(options.threads ?? 0);
  if (!Number.isSafeInteger(seed) || seed < 0) invalidArgument('seed', 'a whole number from 0', seed);
  const rows = rowsOf(options, count);
  const chain = (Array.isArray(spec) ? spec : [spec]).map(complete);
  const own = chain.map(({ type }) => definitionOf(type).apply);
  let result = batch;
  for (let step = 0, end; step < chain.length; step = end) {
    const apply = own[step];
    if (apply) {
      result = { ...result, images: await apply(result, chain[step]) };
      end = step + 1;
    } else {
      // All steps up to the next of that sort in one native call.
      const next = own.findIndex((each, i) => i > step && each);
      end = next < 0 ? chain.length : next;
      const size = { width: result.width, height: result.height };
      const perturbed = await native().perturb(result.images, size, chain.slice(step, end), { seed, rows, firstStep: step, threads });
      result = { count, ...perturbed };
    }
  }
  return result;
}

function rowsOf({ rows }: PerturbOptions, count: number): Uint32Array {
  if (rows && rows.length !== count) invalidArgument('rows', `${count} rows, one an image`, rows.length);
  return rows ?? Uint32Array.from({ length: count }, (_, i) => i);
}
