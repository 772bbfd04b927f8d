/**
 * Import of Keras hdf5 checkpoints of Mini_XCEPTION (github oarriaga/face_classification and networks like it).
 *
 * Keras numbers the layers of one kind in the order in which they were made, which is the order of the network's plan; a depthwise
 * convolution and the pointwise one after it are one of Keras's layers.
 */
import h5wasm from 'h5wasm/node';
import { FER_CLASSES } from '../data/data-set.js';
import { FerError } from '../errors.js';
import { native, type NetworkLayer } from '../native.js';
import { describeFile } from './description.js';
import type { ModelFile, ModelMetadata } from './metadata.js';
import type { Tensor } from './safetensors.js';

type Group = InstanceType<typeof h5wasm.Group>;
type Fail = (reason: string) => never;

type Kind = 'convolution' | 'separable' | 'norm';

/** @throws {FerError} ERR_FER_MODEL_FORMAT when the layers are not Mini_XCEPTION's. */
export async function readKeras(path: string): Promise<ModelFile> {
  const fail: Fail = (reason) => {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} is not a Keras checkpoint of Mini_XCEPTION: ${reason}`, {
      details: { file: path, reason },
    });
  };
  const unreadable = (cause?: unknown): FerError =>
    new FerError('ERR_FER_MODEL_FORMAT', `${path} is not a readable HDF5 file: it is damaged or cut short; copy it again`, {
      cause,
      details: { file: path },
    });
  silence(await h5wasm.ready);
  let file: InstanceType<typeof h5wasm.File>;
  try {
    file = new h5wasm.File(path, 'r');
  } catch (cause) {
    throw unreadable(cause);
  }
  if (file.file_id < 0n) throw unreadable();
  try {
    const checkpoint = new Checkpoint((file.get('model_weights') ?? file) as Group, fail);
    const metadata = metadataOf(checkpoint, file.attrs.model_config?.value, fail);
    return { metadata, tensors: tensorsOf(checkpoint, metadata, describeFile(path, metadata).layers, fail) };
  } catch (cause) {
    throw cause instanceof FerError ? cause : unreadable(cause);
  } finally {
    file.close();
  }
}

/** What h5wasm's types leave out of its file system: `nfd` is Node's number of a stream's file. */
interface Streams {
  streams: { path: string; nfd: number }[];
  open(path: string, flags: string): { nfd: number };
}
const STANDARD_ERROR = 2;
let silent = false;

/** HDF5 writes fifty lines about every mistake to its standard error. Only its own goes nowhere: the process keeps its. */
function silence({ FS }: Awaited<typeof h5wasm.ready>): void {
  if (silent) return;
  const { streams, ...files } = FS as unknown as Streams;
  streams[STANDARD_ERROR].nfd = files.open('/dev/null', 'w').nfd;
  silent = true;
}

/** The layers of a checkpoint by kind, in the order of their numbers, and their weights. */
class Checkpoint {
  readonly layers: Readonly<Record<Kind, string[]>>;

  constructor(
    private readonly root: Group,
    private readonly fail: Fail,
  ) {
    const numbered = (prefix: string): string[] =>
      root
        .keys()
        // eslint-disable-next-line security/detect-non-literal-regexp -- of the three prefixes below
        .filter((name) => new RegExp(`^${prefix}(_\\d+)?$`).test(name))
        .sort((a, b) => Number(a.match(/_(\d+)$/)?.[1] ?? 0) - Number(b.match(/_(\d+)$/)?.[1] ?? 0));
    this.layers = {
      convolution: numbered('conv2d'),
      separable: numbered('separable_conv2d'),
      norm: numbered('batch_normalization'),
    };
  }

  read(layer: string, weight: string): Tensor {
    const find = (group: Group): Tensor | undefined => {
      for (const key of group.keys()) {
        const item = group.get(key);
        if (item instanceof h5wasm.Dataset && key.replace(/:0$/, '') === weight) {
          const shape = item.shape ?? [];
          native().requireMemory(
            8 * shape.reduce((product, extent) => product * extent, 1),
            `weight ${weight} of layer ${layer}, as it declares itself,`,
          );
          return { shape, data: Float32Array.from(item.value as Float32Array) };
        }
        const below = item instanceof h5wasm.Group ? find(item) : undefined;
        if (below) return below;
      }
      return undefined;
    };
    return find(this.root.get(layer) as Group) ?? this.fail(`layer ${layer} has no weight ${weight}`);
  }

  /** "7 convolutions, 8 separable convolutions and 14 batch norms". */
  get contents(): string {
    const { convolution, separable, norm } = this.layers;
    return `${convolution.length} convolutions, ${separable.length} separable convolutions and ${norm.length} batch norms`;
  }
}

/** The network's form as the outputs of its full convolutions give it: the stem's two, one a module, the head's. */
function metadataOf(checkpoint: Checkpoint, config: unknown, fail: Fail): ModelMetadata {
  const outputs = checkpoint.layers.convolution.map((layer) => checkpoint.read(layer, 'kernel').shape[3]);
  if (outputs.length < 4) fail(`it has ${checkpoint.contents}; four modules have 7, 8 and 14`);
  const [first, second, ...modules] = outputs;
  const count = modules.pop()!;
  return {
    width: { stem: [first, second], modules },
    classes: count === FER_CLASSES.length ? [...FER_CLASSES] : Array.from({ length: count }, (_, i) => `class ${i}`),
    inputSize: inputSize(config) ?? fail('its model_config names no square grey input'),
    normalization: 'x/127.5-1',
    source: 'imported from a Keras hdf5 checkpoint',
  };
}

/** Every tensor of the plan, from the next of Keras's layers of its kind. */
function tensorsOf(checkpoint: Checkpoint, { width }: ModelMetadata, layers: readonly NetworkLayer[], fail: Fail): Map<string, Tensor> {
  const left = {
    convolution: [...checkpoint.layers.convolution],
    separable: [...checkpoint.layers.separable],
    norm: [...checkpoint.layers.norm],
  };
  const wrong = (): never => fail(`it has ${checkpoint.contents}, which make no network of ${width.modules.length} modules`);
  const next = (kind: Kind): string => left[kind].shift() ?? wrong();
  const tensors = new Map<string, Tensor>();
  const put = (layer: NetworkLayer, from: string, ...weights: string[]): void =>
    layer.tensors.forEach((name, i) => tensors.set(name, oursOf(checkpoint.read(from, weights[i]))));
  let separable: { name: string; between: number } | undefined;
  for (const layer of layers) {
    if (layer.kind === 'batchNorm') put(layer, next('norm'), 'gamma', 'beta', 'moving_mean', 'moving_variance');
    if (layer.kind !== 'convolution') continue;
    if (layer.depthwise) {
      separable = { name: next('separable'), between: layer.output };
      // [h, w, channels, 1] is in memory what [h, w, 1, channels] is, whose turn around gives [channels, 1, h, w].
      const { shape: [h, w, channels], data } = checkpoint.read(separable.name, 'depthwise_kernel'); // prettier-ignore
      tensors.set(layer.tensors[0], oursOf({ shape: [h, w, 1, channels], data }));
    } else if (separable?.between === layer.inputs[0]) put(layer, separable.name, 'pointwise_kernel');
    else put(layer, next('convolution'), 'kernel', 'bias');
  }
  if (Object.values(left).some((rest) => rest.length > 0)) wrong();
  return tensors;
}

/** Keras kernels are [h, w, in, out]; ours are PyTorch's [out, in, h, w]. Vectors are the same. */
function oursOf(tensor: Tensor): Tensor {
  const { shape, data } = tensor;
  if (shape.length !== 4) return tensor;
  const [h, w, inputs, outputs] = shape;
  const out = new Float32Array(data.length);
  let at = 0;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) out[((o * inputs + i) * h + y) * w + x] = data[at++];
  return { shape: [outputs, inputs, h, w], data: out };
}

function inputSize(config: unknown): number | undefined {
  const shape = /"batch_(?:input_)?shape": \[null, (\d+), (\d+), 1\]/.exec(String(config));
  return shape && shape[1] === shape[2] ? Number(shape[1]) : undefined;
}
