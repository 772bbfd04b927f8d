/**
 * A network: its handle in native memory beside what a file says of it. What is done with one (predict, evaluate, training,
 * explain) are functions over this handle; `MiniXception` puts them under one name.
 */
import { FER_CLASSES, type LabelledImages } from '../data/data-set.js';
import { resolveDevice, type Device, type DeviceOptions, type Precision } from '../device.js';
import { invalidArgument } from '../errors.js';
import { native, type NativeModel } from '../native.js';
import { specOf } from './description.js';
import type { ModelFile, ModelMetadata } from './metadata.js';
import type { Tensor } from './safetensors.js';
import { resolveWidth, type Width } from './width.js';

export interface Network {
  readonly native: NativeModel;
  readonly metadata: ModelMetadata;
}

/** The network to make, and where it lives. */
export interface CreateOptions extends DeviceOptions {
  /** Default "narrow". */
  width?: Width;
  /** Names of the classes, 2 to 1000. Default FER2013's seven. */
  classes?: string[];
  /** Side of the square grey input, 8 to 512 pixels. Default 48. */
  inputSize?: number;
  /** Seed of the initial weights. Default 0. */
  seed?: number;
}

/**
 * A network with random weights (PyTorch's default initialisation).
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_DEVICE_UNAVAILABLE, ERR_FER_OUT_OF_MEMORY
 */
export function createNetwork(options: CreateOptions = {}): Network {
  const { seed = 0 } = options;
  const device = resolveDevice(options);
  if (!Number.isSafeInteger(seed) || seed < 0) invalidArgument('seed', 'a whole number from 0', seed);
  const classes = options.classes ?? FER_CLASSES;
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string'))
    invalidArgument('classes', 'an array of names', classes);
  const metadata: ModelMetadata = {
    width: resolveWidth(options.width ?? 'narrow'),
    classes: [...classes],
    inputSize: options.inputSize ?? 48,
    normalization: 'x/127.5-1',
  };
  return { native: new (native().Model)(specOf(metadata), { ...device, seed }), metadata };
}

/** The network that a file describes, with its weights. */
export function networkOf({ metadata, tensors }: ModelFile, options: DeviceOptions = {}): Network {
  const network = createNetwork({ ...options, ...metadata });
  Object.assign(network.metadata, { training: metadata.training, source: metadata.source });
  setTensors(network, tensors);
  return network;
}

/** A second network of the same form on the same device, with the same weights. */
export function copyOf(network: Network): Network {
  const { device, threads, precision } = network.native;
  return networkOf(
    { metadata: { ...network.metadata }, tensors: tensorsOf(network) },
    { device: device as Device, threads, precision: precision as Precision },
  );
}

/** Copies of all tensors by name, in PyTorch's layout. */
export const tensorsOf = (network: Network): Map<string, Tensor> =>
  new Map(network.native.tensors().map(({ name, shape, data }) => [name, { shape, data }]));

/**
 * Overwrites every tensor of the network from `tensors`, ignoring others there.
 * @throws {FerError} ERR_FER_ARGUMENT where one is missing or of another size.
 */
export function setTensors(network: Network, tensors: ReadonlyMap<string, Tensor>): void {
  for (const { name } of network.native.tensors()) {
    const tensor = tensors.get(name);
    if (!tensor) invalidArgument('tensors', `a tensor named ${name}`, 'none');
    network.native.setTensor(name, tensor.data);
  }
}

/** @throws {FerError} ERR_FER_ARGUMENT where the data set has other classes than the network. */
export function checkClasses({ metadata: { classes } }: Network, data: LabelledImages): void {
  if (data.classes.join() !== classes.join())
    invalidArgument('data', `the model's classes (${classes.join(', ')})`, data.classes.join(', '));
}
