/**
 * A network: its handle in native memory beside what a file says of it. What is done with one (predict, evaluate, training,
 * explain) are functions over this handle; `MiniXception` puts them under one name.
 */
import { FER_CLASSES, type LabelledImages } from '../data/data-set.js';
import { resolveDevice, type Device, type DeviceOptions, type Precision } from '../device.js';
import { invalidArgument } from '../errors.js';
import { native, type NativeModel, type NativeTensor } from '../native.js';
import { describe, specOf } from './description.js';
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
  /** Names of the classes, 2 to 256. Default FER2013's seven. */
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
  const network = emptyNetwork(metadata, options);
  // What is asked of the network next waits for this, and fails as it did.
  network.native.initialise(seed).catch(() => {});
  return network;
}

/** A network whose weights are still to be set. */
function emptyNetwork(metadata: ModelMetadata, options: DeviceOptions): Network {
  return { native: new (native().Model)(specOf(metadata), resolveDevice(options)), metadata };
}

/** The network that a file describes, with its weights. */
export async function networkOf({ metadata, tensors }: ModelFile, options: DeviceOptions = {}): Promise<Network> {
  const network = emptyNetwork({ ...metadata }, options);
  await setTensors(network, tensors);
  return network;
}

/** A second network of the same form on the same device, with the same weights. */
export async function copyOf(network: Network): Promise<Network> {
  const { device, threads, precision } = network.native;
  return networkOf(
    { metadata: network.metadata, tensors: await tensorsOf(network) },
    { device: device as Device, threads, precision: precision as Precision },
  );
}

/** Copies of all tensors by name, in PyTorch's layout. */
export const tensorsOf = async (network: Network): Promise<Map<string, Tensor>> => byName(await network.native.tensors());

export const byName = (tensors: readonly NativeTensor[]): Map<string, Tensor> =>
  new Map(tensors.map(({ name, shape, data }) => [name, { shape, data }]));

/**
 * Overwrites every tensor of the network from `tensors`, ignoring others there. They are read where they lie, until the promise settles.
 * @throws {FerError} ERR_FER_ARGUMENT where one is missing or of another size.
 */
export async function setTensors(network: Network, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  await network.native.setTensors(
    describe(network.metadata).tensors.map(({ name }) => {
      const { data } = tensors.get(name) ?? invalidArgument('tensors', `a tensor named ${name}`, 'none');
      return { name, data };
    }),
  );
}

/** @throws {FerError} ERR_FER_ARGUMENT where the data set has other classes than the network. */
export function checkClasses({ metadata: { classes } }: Network, data: LabelledImages): void {
  if (data.classes.join() !== classes.join())
    invalidArgument('data', `the model's classes (${classes.join(', ')})`, data.classes.join(', '));
}
