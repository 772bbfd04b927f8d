/** A network in a file: its tensors, and what is needed to build it and feed it. */
import { open, readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import { isObject } from '../json.js';
import { describeFile } from './description.js';
import type { ModelFile } from './metadata.js';
import { decodeSafetensors, encodeSafetensors, notFinite, type Tensor } from './safetensors.js';
import { resolveWidth, type WidthSpec } from './width.js';

export type { ModelFile, ModelMetadata } from './metadata.js';

const FORMAT = 'fer-cudnn/mini-xception';
const HDF5_SIGNATURE = '89484446';

/**
 * Reads safetensors written by this package, or a Keras hdf5 checkpoint; the content decides, not the name.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND or ERR_FER_MODEL_FORMAT.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  let signature: string;
  try {
    const handle = await open(path);
    try {
      signature = (await handle.read(Buffer.alloc(4), 0, 4, 0)).buffer.toString('hex');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `model ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  const file = signature === HDF5_SIGNATURE ? await (await import('./keras.js')).readKeras(path) : parse(path, await readFile(path));
  validate(path, file);
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
  mustBeFinite(`${path} was not written`, tensors);
  await writeFileAtomic(path, ...encodeSafetensors(tensors, metadata));
}

function parse(path: string, bytes: Uint8Array): ModelFile {
  const { tensors, metadata } = decodeSafetensors(bytes, path);
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

function mustBeFinite(what: string, tensors: ReadonlyMap<string, Tensor>): void {
  const found = notFinite(tensors);
  if (!found) return;
  const { name, index, value } = found;
  throw new FerError('ERR_FER_MODEL_FORMAT', `${what}: expected finite weights, got ${value}, for tensor ${name} at index ${index}`, {
    details: { tensor: name, index },
  });
}

function validate(path: string, { metadata, tensors }: ModelFile): void {
  for (const { name, shape } of describeFile(path, metadata).tensors) {
    const got = tensors.get(name);
    if (!got) throw new FerError('ERR_FER_MODEL_FORMAT', `${path}: tensor ${name} is missing`);
    if (got.shape.join() !== shape.join())
      throw new FerError(
        'ERR_FER_MODEL_FORMAT',
        `${path}: expected shape [${shape.join(', ')}], got [${got.shape.join(', ')}], for tensor ${name}`,
      );
  }
  mustBeFinite(path, tensors);
}
