/** A network in a file: its tensors, and what is needed to build it and feed it. */
import { writeFileAtomic } from '../atomic-file.js';
import { headOf } from '../data/content.js';
import { FerError } from '../errors.js';
import { isObject } from '../json.js';
import { openRegular } from '../regular-file.js';
import { inSlices } from '../slices.js';
import { describeFile } from './description.js';
import { refuseForeign, refuseSavedModel } from './foreign.js';
import type { ModelFile } from './metadata.js';
import { decodeSafetensors, encodeSafetensors, notFinite, type Tensor } from './safetensors.js';
import { resolveWidth, type WidthSpec } from './width.js';

export type { ModelFile, ModelMetadata } from './metadata.js';

const FORMAT = 'fer-cudnn/mini-xception';
const HDF5_SIGNATURE = '89484446';
/** What one Buffer takes, bytes. */
const LARGEST = 2 ** 31 - 1;

/**
 * Reads safetensors written by this package, or a Keras hdf5 checkpoint; the content decides, not the name.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND or ERR_FER_MODEL_FORMAT.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  await refuseSavedModel(path);
  const { handle, stats } = await openRegular(path, `model ${path}`);
  let file: ModelFile;
  try {
    const head = await headOf(handle);
    if (head.toString('hex', 0, 4) === HDF5_SIGNATURE) file = await (await import('./keras.js')).readKeras(path);
    else {
      refuseForeign(path, head);
      if (stats.size > LARGEST) throw new FerError('ERR_FER_MODEL_FORMAT', `${path} has ${stats.size} bytes; expected at most ${LARGEST}`);
      file = await parse(path, await handle.readFile());
    }
  } finally {
    await handle.close();
  }
  await validate(path, file);
  return file;
}

/**
 * Writes safetensors; the file is whole or absent. Extra tensors (a checkpoint's) may be passed beside the network's.
 * @throws {FerError} ERR_FER_WRITE, or ERR_FER_MODEL_FORMAT for a weight that is no finite number; then what was there before still is.
 */
export async function writeModelFile(path: string, file: ModelFile, extra: ReadonlyMap<string, Tensor> = new Map()): Promise<void> {
  const { training, source, ...network } = file.metadata;
  const metadata: Record<string, string> = { format: FORMAT, version: '1', network: JSON.stringify(network) };
  if (training) metadata.training = JSON.stringify(training);
  if (source) metadata.source = source;
  const tensors = new Map([...file.tensors, ...extra]);
  await mustBeFinite(`${path} was not written`, tensors);
  await writeFileAtomic(path, ...encodeSafetensors(tensors, metadata));
}

async function parse(path: string, bytes: Uint8Array): Promise<ModelFile> {
  const { tensors, metadata } = await inSlices(decodeSafetensors(bytes, path));
  if (metadata.format !== FORMAT)
    throw new FerError(
      'ERR_FER_MODEL_FORMAT',
      `${path} was not written by fer-cudnn: its metadata says format ${JSON.stringify(metadata.format)}, expected ${JSON.stringify(FORMAT)}`,
    );
  const fail = (place: string, expected: string, got: unknown): never => {
    throw new FerError(
      'ERR_FER_MODEL_FORMAT',
      `${path}: in its metadata, ${place}: expected ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`,
      { details: { file: path } },
    );
  };
  const parsed = (place: string): Record<string, unknown> => {
    let value: unknown;
    try {
      value = JSON.parse(metadata[place] ?? '');
    } catch {
      fail(place, 'JSON', metadata[place]);
    }
    return isObject(value) ? value : fail(place, 'an object', value);
  };
  // By hand and not by a schema: a prediction does not wait for zod. Other keys are not read.
  const { width: widthAsked, classes, inputSize, normalization } = parsed('network');
  let width: WidthSpec;
  try {
    width = resolveWidth(widthAsked as WidthSpec);
  } catch {
    return fail('network.width', 'channels of the stem and the modules', widthAsked);
  }
  if (!isClassNames(classes)) return fail('network.classes', 'a list of different names', classes);
  if (!Number.isInteger(inputSize)) return fail('network.inputSize', 'a whole number', inputSize);
  if (normalization !== 'x/127.5-1')
    return fail('network.normalization', '"x/127.5-1", the only one that this version knows', normalization);
  const training = metadata.training === undefined ? undefined : parsed('training');
  return { metadata: { width, classes, inputSize: inputSize as number, normalization, training, source: metadata.source }, tensors };
}

const isClassNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length;

async function mustBeFinite(what: string, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  const found = await inSlices(notFinite(tensors));
  if (!found) return;
  const { name, index, value } = found;
  throw new FerError('ERR_FER_MODEL_FORMAT', `${what}: expected finite weights, got ${value}, for tensor ${name} at index ${index}`, {
    details: { tensor: name, index },
  });
}

async function validate(path: string, { metadata, tensors }: ModelFile): Promise<void> {
  for (const { name, shape } of describeFile(path, metadata).tensors) {
    const got = tensors.get(name);
    if (!got) throw new FerError('ERR_FER_MODEL_FORMAT', `${path}: tensor ${name} is missing`);
    if (got.shape.join() !== shape.join())
      throw new FerError(
        'ERR_FER_MODEL_FORMAT',
        `${path}: expected shape [${shape.join(', ')}], got [${got.shape.join(', ')}], for tensor ${name}`,
      );
  }
  await mustBeFinite(path, tensors);
}
