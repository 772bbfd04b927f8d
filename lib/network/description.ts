/** A network as the native core plans it: its layers, tensors and values. Nothing else in lib/ knows the topology. */
import { FerError } from '../errors.js';
import { native, type NativeSpec, type NetworkDescription } from '../native.js';
import type { ModelMetadata } from './metadata.js';

type Form = Pick<ModelMetadata, 'width' | 'classes' | 'inputSize'>;

export const specOf = ({ width, classes, inputSize }: Form): NativeSpec => ({ ...width, classes: classes.length, inputSize });

/** @throws {FerError} ERR_FER_ARGUMENT where no network has this form. */
export const describe = (form: Form): NetworkDescription => native().describe(specOf(form));

/** The same of what a file says it holds. @throws {FerError} ERR_FER_MODEL_FORMAT */
export function describeFile(path: string, form: Form): NetworkDescription {
  try {
    return describe(form);
  } catch (cause) {
    if (!(cause instanceof FerError && cause.code === 'ERR_FER_ARGUMENT')) throw cause;
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} describes no network: ${cause.message}`, { cause, details: { file: path } });
  }
}
