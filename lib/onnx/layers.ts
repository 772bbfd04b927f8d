/**
 * The layers of a network as ONNX nodes: one walk over the description that the native core gives. A kind of layer is a function here;
 * the topology is nobody's but the plan's.
 */
import type { NetworkDescription, NetworkLayer } from '../native.js';
import { Graph, type Tensor } from './graph.js';

/** What a layer's function may ask for. */
interface Walk {
  graph: Graph;
  values: NetworkDescription['values'];
  /** ONNX's name of a value. */
  nameOf(value: number): string;
  /** A tensor of the network. */
  tensorOf(name: string): Tensor;
}

type Emit = (walk: Walk, layer: NetworkLayer, inputs: string[], output: string) => void;

/** TensorFlow's padding [top, left, bottom, right]: what makes ceil(size / stride) of the size, the odd pixel below and to the right. */
export function samePads(size: number, kernel: number, stride: number): number[] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  const before = total >> 1;
  return [before, before, total - before, total - before];
}

/** Of convolutions and pooling. */
function windowOf({ values }: Walk, { inputs, kernel, stride, padding }: NetworkLayer): Record<string, number[]> {
  const pads = padding === 'same' ? samePads(values[inputs[0]].size, kernel, stride) : [0, 0, 0, 0];
  return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads };
}

/** The network's own tensors of a layer, as the graph's, under the same names. */
const ownTensors = ({ graph, tensorOf }: Walk, { tensors }: NetworkLayer): string[] =>
  tensors.map((name) => graph.tensor(name, tensorOf(name).shape, tensorOf(name).data));

function convolve(walk: Walk, layer: NetworkLayer, inputs: string[], output: string, tensors: string[]): void {
  const group = layer.depthwise ? walk.values[layer.output].channels : 1;
  walk.graph.node('Conv', [...inputs, ...tensors], output, { ...windowOf(walk, layer), group });
}

const EMIT: Readonly<Record<NetworkLayer['kind'], Emit>> = {
  convolution: (walk, layer, inputs, output) => convolve(walk, layer, inputs, output, ownTensors(walk, layer)),
  batchNorm: (walk, layer, inputs, output) =>
    walk.graph.node('BatchNormalization', [...inputs, ...ownTensors(walk, layer)], output, { epsilon: { f: layer.epsilon } }),
  relu: ({ graph }, _, inputs, output) => graph.node('Relu', inputs, output),
  maxPool: (walk, layer, inputs, output) => walk.graph.node('MaxPool', inputs, output, windowOf(walk, layer)),
  add: ({ graph }, _, inputs, output) => graph.node('Add', inputs, output),
  averagePool: ({ graph }, _, inputs, output) =>
    // Of the whole image: the plan's only average.
    graph.node('Flatten', [graph.node('GlobalAveragePool', inputs, `${output}.pooled`)], output, { axis: 1 }),
};

/** A convolution with the batch norm behind it in its weights: y = s (w * x + b - mean) + beta with s = gamma / sqrt(var + epsilon). */
function convolveFolded(walk: Walk, layer: NetworkLayer, norm: NetworkLayer, inputs: string[], output: string): void {
  const [weight, bias] = layer.tensors.map((name) => walk.tensorOf(name));
  const [gamma, beta, mean, variance] = norm.tensors.map((name) => walk.tensorOf(name).data);
  const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + norm.epsilon));
  const each = weight.data.length / scale.length;
  const scaled = new Float32Array(weight.data.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = weight.data[i] * scale[Math.floor(i / each)];
  const shift = Float32Array.from(scale, (value, i) => ((bias?.data[i] ?? 0) - mean[i]) * value + beta[i]);
  const tensors = [
    walk.graph.tensor(layer.tensors[0], weight.shape, scaled),
    walk.graph.tensor(`${layer.name}.bias`, [shift.length], shift),
  ];
  convolve(walk, layer, inputs, output, tensors);
}

/** Each convolution whose value a batch norm alone reads, and that batch norm. */
export function foldable({ layers }: NetworkDescription): Map<NetworkLayer, NetworkLayer> {
  const pairs = new Map<NetworkLayer, NetworkLayer>();
  for (const layer of layers) {
    const readers = layers.filter(({ inputs }) => inputs.includes(layer.output));
    if (layer.kind === 'convolution' && readers.length === 1 && readers[0].kind === 'batchNorm') pairs.set(layer, readers[0]);
  }
  return pairs;
}

/** Appends the network's layers to the graph, from the value `input` to its logits, whose name is returned. Rests after each. */
export function* addLayers(
  graph: Graph,
  description: NetworkDescription,
  tensorOf: (name: string) => Tensor,
  { input, fold }: { input: string; fold: boolean },
): Generator<void, string> {
  const { layers, values } = description;
  const names = new Map([[0, input]]);
  const walk: Walk = { graph, values, tensorOf, nameOf: (value) => names.get(value)! };
  const norms: ReadonlyMap<NetworkLayer, NetworkLayer> = fold ? foldable(description) : new Map<NetworkLayer, NetworkLayer>();
  const folded = new Set(norms.values());
  const counts = new Map<string, number>();
  for (const layer of layers) {
    if (folded.has(layer)) continue;
    const norm = norms.get(layer);
    const place = (norm ?? layer).output;
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const output = values[place].name || layer.name || `${layer.kind}.${count}`;
    const inputs = layer.inputs.map((value) => walk.nameOf(value));
    if (norm) convolveFolded(walk, layer, norm, inputs, output);
    else EMIT[layer.kind](walk, layer, inputs, output);
    names.set(place, output);
    yield;
  }
  return walk.nameOf(values.length - 1);
}
