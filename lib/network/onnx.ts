/** Model files as ONNX, and back. */
import { FerError } from '../errors.js';
import { buildModel } from '../onnx/build.js';
import { resolveOnnxOptions, type OnnxOptions } from '../onnx/options.js';
import { readTensors } from '../onnx/read.js';
import { decodeModel, encodeModel, type OnnxModel } from '../onnx/schema.js';
import { inSlices } from '../slices.js';
import { packageVersion } from '../version.js';
import { describe, describeFile } from './description.js';
import type { ModelFile } from './metadata.js';
import { packedMetadata, unpackedMetadata } from './packed-metadata.js';
import { widthName } from './width.js';

/**
 * The bytes of an ONNX file.
 * @throws {FerError} ERR_FER_ARGUMENT for what is no option, and for weights that the file cannot hold
 */
export async function encodeOnnx({ metadata, tensors }: ModelFile, given?: OnnxOptions): Promise<Uint8Array> {
  const options = resolveOnnxOptions(given);
  const { width, classes, inputSize, training } = metadata;
  const model = await inSlices(
    buildModel(describe(metadata), tensors, options, {
      producerVersion: packageVersion(),
      about: `Mini_Xception, ${widthName(width)}: the expression of a face of ${inputSize}x${inputSize} pixels`,
      classes,
      metadata: {
        ...packedMetadata(metadata),
        export: JSON.stringify(options),
        classes: JSON.stringify(classes),
        width: widthName(width),
        input_size: String(inputSize),
        ...(typeof training?.data === 'string' ? { data: training.data } : {}),
      },
    }),
  );
  return encodeModel(model);
}

/**
 * The network of an ONNX file that `encodeOnnx` wrote, with every weight as it is there: in float32 exactly the ones that were exported.
 * @throws {FerError} ERR_FER_MODEL_FORMAT for another program's, a damaged or a changed one
 */
export async function decodeOnnx(path: string, bytes: Uint8Array): Promise<ModelFile> {
  const refuse = (words: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} ${words}`, { cause, details: { file: path } });
  };
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch (cause) {
    return refuse('is not a sound ONNX file: it is damaged or cut short; export it again', cause);
  }
  const texts = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  if (model.producerName !== 'fer-cudnn' || texts.export === undefined) {
    const by = model.producerName ? ` of ${JSON.stringify(model.producerName)}` : '';
    refuse(`is an ONNX model${by}, not one that fer-cudnn exported: only those are read back`);
  }
  const metadata = unpackedMetadata(path, texts);
  let options: Required<OnnxOptions>;
  try {
    options = resolveOnnxOptions(JSON.parse(texts.export) as OnnxOptions);
  } catch (cause) {
    return refuse(`says in its metadata, export, what is no set of options: ${(cause as Error).message}`, cause);
  }
  const changed = (reason: string): never => refuse(`was changed since fer-cudnn exported it: ${reason}`);
  const tensors = await inSlices(readTensors(model, describeFile(path, metadata), options, changed));
  return { metadata, tensors };
}
