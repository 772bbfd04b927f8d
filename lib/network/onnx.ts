/** Model files as ONNX, and back. */
import { buildModel } from '../onnx/build.js';
import { resolveOnnxOptions, type OnnxOptions } from '../onnx/options.js';
import { encodeModel } from '../onnx/schema.js';
import { inSlices } from '../slices.js';
import { packageVersion } from '../version.js';
import { describe } from './description.js';
import type { ModelFile } from './metadata.js';
import { packedMetadata } from './packed-metadata.js';
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
