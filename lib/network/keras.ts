/**
 * Import of Keras hdf5 files of Mini_XCEPTION (github oarriaga/face_classification and networks like it).
 *
 * The file's own model_config says what the network is (`keras-graph.ts`), and is held against the plan (`keras-match.ts`): what differs
 * is refused by the layer's name. What the plan has in another form is brought into it without a change of any prediction: biases before
 * a batch norm, another epsilon, a batch norm without gamma or beta, and a rescaling of the pixels go into weights that are there.
 */
import h5wasm from 'h5wasm/node';
import { FER_CLASSES } from '../data/class-names.js';
import { FerError } from '../errors.js';
import { native, type NetworkLayer } from '../native.js';
import { describeFile } from './description.js';
import { kerasGraph, type Fail, type KerasNode } from './keras-graph.js';
import { matchPlan, type Match } from './keras-match.js';
import type { ModelFile, ModelMetadata } from './metadata.js';
import type { Tensor } from './safetensors.js';

type Group = InstanceType<typeof h5wasm.Group>;
type Dataset = InstanceType<typeof h5wasm.Dataset>;

/** @throws {FerError} ERR_FER_MODEL_FORMAT, naming the layer that is not Mini_XCEPTION's and what differs. */
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
    const config = file.attrs.model_config?.value ?? fail(WITHOUT_CONFIG);
    const graph = kerasGraph(typeof config === 'string' ? config : Buffer.from(config as Uint8Array).toString('utf8'), fail);
    const match = matchPlan(graph, fail);
    const metadata = metadataOf(match, graph.input, fail);
    const { layers } = describeFile(path, metadata);
    const weights = new Weights((file.get('model_weights') ?? file) as Group, fail);
    return { metadata, tensors: tensorsOf(layers, match, weights, fail) };
  } catch (cause) {
    throw cause instanceof FerError ? cause : unreadable(cause);
  } finally {
    file.close();
  }
}

const WITHOUT_CONFIG =
  'it holds weights without a model_config, which says strides, padding and pooling; save the whole model in Keras: model.save("model.h5")';

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

/** What the file says of the network beside its weights. */
function metadataOf({ width, classes, nodes, rescaling }: Match, input: KerasNode, fail: Fail): ModelMetadata {
  const shape: unknown = input.config.batch_shape ?? input.config.batch_input_shape;
  const [, height, across, channels] = Array.isArray(shape) && shape.length === 4 ? (shape as unknown[]) : [];
  if (typeof height !== 'number' || height !== across || channels !== 1)
    fail(
      `layer ${input.layer}: input ${JSON.stringify(shape) ?? 'without a shape'}, expected [null, side, side, 1], a square grey picture`,
    );
  const assumed = [
    ...(rescaling.length === 0 ? ['pixels as x/127.5-1'] : []),
    ...(classes === FER_CLASSES.length ? ["FER2013's order of classes"] : []),
  ];
  const notes = [
    ...(assumed.length > 0 ? [`taken for granted, because it does not say: ${assumed.join(' and ')}`] : []),
    ...changes(nodes, rescaling),
  ];
  return {
    width,
    classes: classes === FER_CLASSES.length ? [...FER_CLASSES] : Array.from({ length: classes }, (_, i) => `class ${i}`),
    inputSize: height as number,
    normalization: 'x/127.5-1',
    source: ['imported from a Keras hdf5 checkpoint', ...notes].join('; '),
  };
}

/** What became of parts that the plan has in another form. */
function changes(nodes: readonly KerasNode[], rescaling: readonly KerasNode[]): string[] {
  const norms = nodes.filter(({ kind }) => kind === 'batchNorm');
  const momenta = [...new Set(norms.map(({ config }) => numberOf(config.momentum, KERAS_MOMENTUM)))];
  return [
    ...(rescaling.length > 0 ? ['its rescaling of pixels is in the first convolution'] : []),
    `its momentum of batch norms, ${momenta.join(' and ')}, is left out: only training uses it`,
  ];
}

const KERAS_MOMENTUM = 0.99;
const KERAS_EPSILON = 1e-3;
const numberOf = (value: unknown, absent: number): number => (typeof value === 'number' ? value : absent);

/** The weights of a file, by layer and name. */
class Weights {
  constructor(
    private readonly root: Group,
    private readonly fail: Fail,
  ) {}

  /** The weight of `node` that it calls `what`; undefined where its layer was made without. */
  find(node: KerasNode, what: string): Tensor | undefined {
    const names = node.weights[what];
    return names && this.read(node.layer, names);
  }

  private read(layer: string, names: readonly string[]): Tensor {
    const find = (group: Group): Tensor | undefined => {
      for (const key of group.keys()) {
        const item = group.get(key);
        if (item instanceof h5wasm.Dataset && names.includes(key.replace(/:0$/, ''))) return this.valuesOf(item, layer, key);
        const below = item instanceof h5wasm.Group ? find(item) : undefined;
        if (below) return below;
      }
      return undefined;
    };
    const group = this.root.get(layer);
    return (group instanceof h5wasm.Group ? find(group) : undefined) ?? this.fail(`layer ${layer} has no weight ${names[0]}`);
  }

  private valuesOf(dataset: Dataset, layer: string, name: string): Tensor {
    const shape = dataset.shape ?? [];
    const count = shape.reduce((product, extent) => product * extent, 1);
    native().requireMemory(8 * count, `weight ${name} of layer ${layer}, as it declares itself,`);
    const { dtype } = dataset;
    if (typeof dtype !== 'string' || !/^[<>][fd]$/.test(dtype))
      this.fail(`layer ${layer}: weight ${name} is stored as ${JSON.stringify(dtype)}, expected floating point of 32 or 64 bits`);
    return { shape, data: Float32Array.from(dataset.value as Float32Array | Float64Array) };
  }
}

/** Every tensor of the plan, from the operation that is its layer. */
function tensorsOf(layers: readonly NetworkLayer[], { nodes, rescaling }: Match, weights: Weights, fail: Fail): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  /** By value: what is added to it, a number a channel, and has no tensor of its own. */
  const offsets = new Map<number, Float64Array>();
  const pixels = affineOf(rescaling, fail);
  for (const [i, layer] of layers.entries()) {
    const node = nodes[i];
    if (layer.kind === 'convolution') {
      const kernel = oursOf(weights.find(node, 'weight')!, layer.depthwise);
      const channels = kernel.shape[0];
      const offset = Float64Array.from(weights.find(node, 'bias')?.data ?? new Float32Array(channels));
      if (layer.inputs[0] === 0) {
        if (pixels.shift !== 0 && layer.padding === 'same') fail(`layer ${rescaling[0].layer}: an offset before a padded convolution`);
        const taps = kernel.data.length / channels;
        kernel.data.forEach((weight, at) => (offset[Math.floor(at / taps)] += pixels.shift * weight));
        if (pixels.factor !== 1) kernel.data.forEach((weight, at) => (kernel.data[at] = pixels.factor * weight));
      }
      tensors.set(layer.tensors[0], kernel);
      if (layer.tensors.length > 1) tensors.set(layer.tensors[1], { shape: [channels], data: Float32Array.from(offset) });
      else if (offset.some((value) => value !== 0)) offsets.set(layer.output, offset);
    } else if (layer.kind === 'batchNorm') {
      const [gamma, beta, mean, variance] = normOf(node, layer, weights, offsets.get(layer.inputs[0]), fail);
      offsets.delete(layer.inputs[0]);
      layer.tensors.forEach((name, at) => tensors.set(name, [gamma, beta, mean, variance][at]));
    }
  }
  const [left] = offsets.keys();
  if (left !== undefined) fail(`layer ${nodes[layers.findIndex(({ output }) => output === left)].layer}: a bias that no batch norm takes`);
  return tensors;
}

/** Scale, shift, mean and variance of a batch norm with the plan's epsilon, of what lacks `offset`. */
function normOf(node: KerasNode, layer: NetworkLayer, weights: Weights, offset: Float64Array | undefined, fail: Fail): Tensor[] {
  const mean = weights.find(node, 'mean')!;
  const variance = weights.find(node, 'variance')!;
  const filled = (value: number): Tensor => ({ shape: [...mean.shape], data: new Float32Array(mean.data.length).fill(value) });
  const gamma = weights.find(node, 'weight') ?? filled(1);
  const beta = weights.find(node, 'bias') ?? filled(0);
  offset?.forEach((value, i) => (mean.data[i] -= value));
  const theirs = numberOf(node.config.epsilon, KERAS_EPSILON);
  if (Math.fround(theirs) === layer.epsilon) return [gamma, beta, mean, variance];
  variance.data.forEach((value, i) => {
    if (!(value + theirs > 0)) fail(`layer ${node.layer}: epsilon ${theirs} with the variance ${value}, expected a sum above 0`);
    gamma.data[i] *= Math.sqrt((value + layer.epsilon) / (value + theirs));
  });
  return [gamma, beta, mean, variance];
}

/** The file's input as `factor` * ours + `shift`, where ours is x/127.5-1 of a pixel x. */
function affineOf(rescaling: readonly KerasNode[], fail: Fail): { factor: number; shift: number } {
  if (rescaling.length === 0) return { factor: 1, shift: 0 };
  let [scale, offset] = [1, 0];
  for (const { layer, config } of rescaling) {
    const next = [config.scale, config.offset ?? 0];
    if (!next.every((value) => typeof value === 'number'))
      fail(`layer ${layer}: scale and offset ${JSON.stringify(next)}, expected two numbers`);
    const [by, plus] = next as number[];
    [scale, offset] = [scale * by, offset * by + plus];
  }
  const factor = 127.5 * scale;
  return { factor, shift: factor + offset };
}

/** Keras kernels are [h, w, in, out], depthwise ones [h, w, channels, 1]; ours are PyTorch's [out, in, h, w]. */
function oursOf({ shape: [h, w, third, fourth], data }: Tensor, depthwise: boolean): Tensor {
  const [inputs, outputs] = depthwise ? [1, third] : [third, fourth];
  const out = new Float32Array(data.length);
  let at = 0;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) out[((o * inputs + i) * h + y) * w + x] = data[at++];
  return { shape: [outputs, inputs, h, w], data: out };
}
