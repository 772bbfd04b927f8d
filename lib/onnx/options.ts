/** How a network is written as ONNX: the options, their defaults, and what is no option. */
import { FerError, invalidArgument } from '../errors.js';

/** How a network is written as ONNX. */
export interface OnnxOptions {
  /** Version of ONNX's operators, 11 to 23. Default 17, which ONNX Runtime reads from 1.12 on. */
  opset?: number;
  /** Batch norms go into the weights of the convolutions before them: fewer nodes, the same logits but for rounding. Default false. */
  foldBatchNorm?: boolean;
  /** The output is `probabilities` instead of `logits`. Default false. */
  softmax?: boolean;
  /** Channels of the input: one, or red, green and blue, which the graph makes grey (ITU-R BT.601). Default "grey". */
  input?: 'grey' | 'rgb';
  /** The input is bytes instead of floats; both are 0..255, and the graph brings them to -1..1. Default false. */
  uint8?: boolean;
  /** Any number of images at once instead of one. Default false. */
  dynamicBatch?: boolean;
  /** Weights and layers in half precision; input and output are as without it. Default false. */
  fp16?: boolean;
}

/** Channels that the input may have, by name. */
export const INPUTS = { grey: 1, rgb: 3 } as const;

/** The first opset that is written, and the last: what ONNX Runtime is tried with. */
export const OPSETS = { first: 11, last: 23, default: 17 } as const;

/** The IR version that came with an opset: runtimes refuse one that is newer than they are. */
export const irVersion = (opset: number): number =>
  opset <= 11 ? 6 : opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : opset <= 22 ? 10 : 11;

export const DEFAULTS: Required<OnnxOptions> = {
  opset: OPSETS.default,
  foldBatchNorm: false,
  softmax: false,
  input: 'grey',
  uint8: false,
  dynamicBatch: false,
  fp16: false,
};

/**
 * All options, those that are not given at their defaults.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function resolveOnnxOptions(given: OnnxOptions = {}): Required<OnnxOptions> {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(DEFAULTS, key));
  if (unknown !== undefined)
    throw new FerError('ERR_FER_ARGUMENT', `expected ${Object.keys(DEFAULTS).join(', ')}, got ${JSON.stringify(unknown)}, for an option`);
  const options = { ...DEFAULTS, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const { opset, input } = options;
  if (!Number.isInteger(opset) || opset < OPSETS.first || opset > OPSETS.last)
    invalidArgument('opset', `a whole number from ${OPSETS.first} to ${OPSETS.last}`, opset);
  if (!Object.hasOwn(INPUTS, input)) invalidArgument('input', 'grey or rgb', input);
  for (const key of ['foldBatchNorm', 'softmax', 'uint8', 'dynamicBatch', 'fp16'] as const)
    if (typeof options[key] !== 'boolean') invalidArgument(key, 'true or false', options[key]);
  return options;
}
