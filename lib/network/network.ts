/**
 * A network: its handle in native memory beside what a file says of it. What is done with one (predict, evaluate, training,
 * explain) are functions over this handle; `MiniXception` puts them under one name.
 */
import { underClasses } from '../data/class-map.js';
import { FER_CLASSES } from '../data/class-names.js';
import type { LabelledImages } from '../data/data-set.js';
import { resolveDevice, type Device, type DeviceOptions, type Precision } from '../device.js';
import { FerError, invalidArgument } from '../errors.js';
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

/**
 * `data` under the network's classes: names of one class are the same in any case and word, in any order.
 * @throws {FerError} ERR_FER_ARGUMENT where the data set has a class that the network lacks.
 */
export function underClassesOf({ metadata: { classes } }: Network, data: LabelledImages): LabelledImages {
  const { data: under, overlap } = underClasses(data, classes);
  const { onlyData, onlyNetwork } = overlap;
  if (onlyData.length > 0)
    throw new FerError(
      'ERR_FER_ARGUMENT',
      `expected the model's classes (${classes.join(', ')}), got ${data.classes.join(', ')}, for data; train a new head for them ` +
        '(--new-head, model.withNewHead), or rename and leave out classes (--classes, loadDataSet)',
      { details: { onlyData, onlyModel: onlyNetwork } },
    );
  return under;
}

/**
 * The same network for other classes: everything but what depends on their number is kept, the rest is drawn anew.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export async function withNewHead({ metadata, tensors }: ModelFile, classes: readonly string[], seed = 0): Promise<ModelFile> {
  const { width, inputSize, normalization } = metadata;
  const shapes = (count: number): string[] =>
    describe({ width, inputSize, classes: Array.from({ length: count }, String) }).tensors.map(({ shape }) => shape.join());
  const [of, beside] = [shapes(2), shapes(3)];
  const fresh = createNetwork({ width, inputSize, classes: [...classes], seed });
  const drawn = await tensorsOf(fresh);
  fresh.native.dispose();
  const kept = [...drawn].map(([name, tensor], i): [string, Tensor] => [name, of[i] === beside[i] ? tensors.get(name)! : tensor]);
  return {
    metadata: {
      width,
      inputSize,
      normalization,
      classes: [...classes],
      source: `a new head on weights for ${metadata.classes.join(', ')}`,
    },
    tensors: new Map(kept),
  };
}
