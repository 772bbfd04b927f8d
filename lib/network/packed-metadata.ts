/** What a model file says beside its tensors, as the texts by name that safetensors and ONNX have room for. */
import { FerError } from '../errors.js';
import { isObject } from '../json.js';
import type { ModelMetadata } from './metadata.js';
import { resolveWidth, type WidthSpec } from './width.js';

const FORMAT = 'fer-cudnn/mini-xception';

export function packedMetadata({ training, source, ...network }: ModelMetadata): Record<string, string> {
  const metadata: Record<string, string> = { format: FORMAT, version: '1', network: JSON.stringify(network) };
  if (training) metadata.training = JSON.stringify(training);
  if (source) metadata.source = source;
  return metadata;
}

/** Whether these are such texts. */
export const isPacked = ({ format }: Readonly<Record<string, string>>): boolean => format === FORMAT;

/** @throws {FerError} ERR_FER_MODEL_FORMAT, with the file's `path` and the place in its metadata */
export function unpackedMetadata(path: string, metadata: Readonly<Record<string, string>>): ModelMetadata {
  if (!isPacked(metadata))
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
  return { width, classes, inputSize: inputSize as number, normalization, training, source: metadata.source };
}

const isClassNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length;
