/** A network in a file: its tensors, and what is needed to build it and feed it. */
import { writeFileAtomic } from '../atomic-file.js';
import { headOf } from '../data/content.js';
import { FerError } from '../errors.js';
import { openRegular } from '../regular-file.js';
import { looksLikeOnnx } from '../onnx/signature.js';
import { inSlices } from '../slices.js';
import { describeFile } from './description.js';
import { refuseForeign, refuseSavedModel } from './foreign.js';
import type { ModelFile } from './metadata.js';
import { isPacked, packedMetadata, unpackedMetadata } from './packed-metadata.js';
import { decodeSafetensors, encodeSafetensors, notFinite, type Tensor } from './safetensors.js';
import { fromStateDict, isStateDict } from './state-dict.js';

export type { ModelFile, ModelMetadata } from './metadata.js';

const HDF5_SIGNATURE = '89484446';
/** What one Buffer takes, bytes. */
const LARGEST = 2 ** 31 - 1;

/**
 * Reads safetensors of this package or of PyTorch, ONNX that this package exported, or a Keras hdf5 checkpoint; the content decides, not
 * the name.
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
      const onnx = looksLikeOnnx(head);
      if (!onnx) refuseForeign(path, head);
      if (stats.size > LARGEST) throw new FerError('ERR_FER_MODEL_FORMAT', `${path} has ${stats.size} bytes; expected at most ${LARGEST}`);
      const bytes = await handle.readFile();
      file = onnx ? await (await import('./onnx.js')).decodeOnnx(path, bytes) : await parse(path, bytes);
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
  const tensors = new Map([...file.tensors, ...extra]);
  await mustBeFinite(`${path} was not written`, tensors);
  await writeFileAtomic(path, ...encodeSafetensors(tensors, packedMetadata(file.metadata)));
}

async function parse(path: string, bytes: Uint8Array): Promise<ModelFile> {
  const { tensors, metadata } = await inSlices(decodeSafetensors(bytes, path));
  return isPacked(metadata) || !isStateDict(tensors)
    ? { metadata: unpackedMetadata(path, metadata), tensors }
    : fromStateDict(path, tensors);
}

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
