/**
 * A Keras `model_config` as a graph of plain operations, in the words of the network's plan: a layer that does two things becomes two
 * nodes, a layer that does nothing in a prediction becomes none. Nothing here knows what network is expected.
 */
import { isObject } from '../json.js';
import { anything, list, maybe, object, read, record, text, type Schema } from '../schema.js';
import type { NetworkLayer } from '../native.js';

export type Fail = (reason: string) => never;

/** One operation. What two nodes of a kind can differ in stands in `facts`, as text: "3x3". */
export interface KerasNode {
  /** Keras's name of its layer. */
  layer: string;
  kind: NetworkLayer['kind'] | 'depthwise' | 'input' | 'rescaling' | 'softmax' | 'other';
  /** For messages: "SeparableConv2D", "activation elu". */
  is: string;
  facts: Readonly<Record<string, string>>;
  inputs: KerasNode[];
  config: Readonly<Record<string, unknown>>;
  /** Names that a weight may have in the file, by what it is: newer Keras calls some otherwise. */
  weights: Readonly<Record<string, readonly string[]>>;
}

export interface KerasGraph {
  input: KerasNode;
  /** In an order in which inputs come before who reads them. */
  nodes: KerasNode[];
  output: KerasNode;
}

interface Layer {
  class_name: string;
  name?: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
}

const LAYER: Schema<Layer> = object<Layer>({
  class_name: text(),
  name: maybe(text()),
  config: record(anything()),
  inbound_nodes: maybe(anything()),
});
const MODEL = object<{ class_name: string; config: { layers: Layer[]; output_layers?: unknown } }>({
  class_name: text(),
  config: object<{ layers: Layer[]; output_layers?: unknown }>({ layers: list(LAYER, 1), output_layers: maybe(anything()) }),
});

/** Sixteen modules have some 250, with those that only training uses. */
const MOST_LAYERS = 1000;

/** Layers that a prediction passes through unchanged: regularisation and augmentation. */
const TRAINING_ONLY = /^(?:(?:Spatial|Gaussian|Alpha)?Dropout(?:2D)?|GaussianNoise|ActivityRegularization|Identity|Random[A-Z]\w+)$/;

/** @throws by `fail` for what is no model_config of one input and one output, or calls a layer twice. */
export function kerasGraph(modelConfig: string, fail: Fail): KerasGraph {
  let json: unknown;
  try {
    json = JSON.parse(modelConfig);
  } catch {
    return fail('its model_config is not JSON');
  }
  const { class_name: kind, config } = read(MODEL, json, 'model_config', fail);
  if (config.layers.length > MOST_LAYERS) fail(`it has ${config.layers.length} layers; expected at most ${MOST_LAYERS}`);
  const sequential = kind === 'Sequential';
  const layers = sequential ? withInput(config.layers) : config.layers;
  const outputs = new Map<string, KerasNode>();
  const nodes: KerasNode[] = [];
  const waiting = new Map(layers.map((layer) => [nameOf(layer), layer]));
  if (waiting.size < layers.length) fail('two of its layers have one name');
  const place = (name: string, from: string): KerasNode => {
    const done = outputs.get(name);
    if (done) return done;
    const layer = waiting.get(name) ?? fail(`layer ${from} reads ${name}, which is not there or reads it in turn`);
    waiting.delete(name);
    const calls = sequential ? chained(layers, layer) : callsOf(layer);
    if (calls.length > 1) fail(`layer ${name} is called ${calls.length} times; expected once`);
    let node: KerasNode | undefined;
    const inputs = (calls[0] ?? []).map((input) => place(input, name));
    for (const made of nodesOf(name, layer, inputs)) nodes.push((node = made));
    node ??= inputs[0] ?? fail(`layer ${name} reads nothing`);
    outputs.set(name, node);
    return node;
  };
  for (const layer of layers) place(nameOf(layer), nameOf(layer));
  const ends = sequential ? [nameOf(layers[layers.length - 1])] : namesIn(config.output_layers);
  const inputs = nodes.filter((node) => node.kind === 'input');
  if (inputs.length !== 1) fail(`it has ${inputs.length} inputs; expected one`);
  if (ends.length !== 1) fail(`it has ${ends.length} outputs; expected one`);
  return { input: inputs[0], nodes, output: outputs.get(ends[0]) ?? fail(`its output ${ends[0]} is none of its layers`) };
}

const nameOf = ({ name, config, class_name }: Layer): string => name ?? (typeof config.name === 'string' ? config.name : class_name);

/** A Sequential's layers, behind an input of their own where its first layer is none. */
function withInput(layers: Layer[]): Layer[] {
  if (layers[0].class_name === 'InputLayer') return layers;
  return [{ class_name: 'InputLayer', name: 'input', config: layers[0].config }, ...layers];
}

const chained = (layers: readonly Layer[], layer: Layer): string[][] => {
  const at = layers.indexOf(layer);
  return at === 0 ? [] : [[nameOf(layers[at - 1])]];
};

/** The layers that each call of a layer reads. Keras 2: [[["name", 0, 0, {}], …], …]; Keras 3: [{ args, kwargs }, …]. */
function callsOf({ inbound_nodes: calls }: Layer): string[][] {
  return Array.isArray(calls) ? calls.map((call: unknown) => (Array.isArray(call) ? namesIn(call) : tensorsIn(call))) : [];
}

/** Names in ["name", 0, 0, …], or in a list of such. */
function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return typeof value[0] === 'string' ? [value[0]] : value.flatMap(namesIn);
}

function tensorsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (!isObject(value)) return [];
  if (value.class_name === '__keras_tensor__' && isObject(value.config)) return namesIn(value.config.keras_history);
  return Object.values(value).flatMap(tensorsIn);
}

/** What a layer does, one operation after another. */
function nodesOf(layer: string, { class_name: is, config }: Layer, inputs: KerasNode[]): KerasNode[] {
  const made: KerasNode[] = [];
  const add = (kind: KerasNode['kind'], facts: KerasNode['facts'] = {}, weights: KerasNode['weights'] = {}, what = is): void => {
    made.push({ layer, kind, is: what, facts, weights, config, inputs: made.length > 0 ? [made[made.length - 1]] : inputs });
  };
  const activation = (name: unknown): void => {
    if (name === undefined || name === null || name === 'linear') return;
    if (name === 'relu' || name === 'softmax') add(name, {}, {}, `activation ${name}`);
    else add('other', {}, {}, `activation ${typeof name === 'string' ? name : JSON.stringify(name)}`);
  };
  const bias: KerasNode['weights'] = config.use_bias === false ? {} : { bias: ['bias'] };
  const window = (size: unknown, strides: unknown): KerasNode['facts'] => ({
    kernel: pairOf(size),
    strides: pairOf(strides),
    padding: textOf(config.padding, 'valid'),
    data_format: textOf(config.data_format, 'channels_last'),
  });
  const convolution = (): KerasNode['facts'] => ({
    ...window(config.kernel_size, config.strides ?? 1),
    dilation: pairOf(config.dilation_rate ?? 1),
    groups: textOf(config.groups, '1'),
  });
  const depthwise = (): KerasNode['facts'] => ({ ...convolution(), depth_multiplier: textOf(config.depth_multiplier, '1') });
  switch (is) {
    case 'InputLayer':
      add('input');
      break;
    case 'Rescaling':
      add('rescaling');
      break;
    case 'Conv2D':
      add('convolution', convolution(), { weight: ['kernel'], ...bias });
      activation(config.activation);
      break;
    case 'DepthwiseConv2D':
      add('depthwise', depthwise(), { weight: ['depthwise_kernel', 'kernel'], ...bias });
      activation(config.activation);
      break;
    case 'SeparableConv2D':
      add('depthwise', depthwise(), { weight: ['depthwise_kernel'] });
      // It has the depthwise part's padding, which 1x1 cannot feel, and none of its strides.
      add('convolution', { ...depthwise(), kernel: '1x1', strides: '1x1', dilation: '1x1' }, { weight: ['pointwise_kernel'], ...bias });
      activation(config.activation);
      break;
    case 'BatchNormalization':
      add(
        'batchNorm',
        { axis: axisOf(config.axis), renorm: textOf(config.renorm, 'false') },
        {
          ...(config.scale === false ? {} : { weight: ['gamma'] }),
          ...(config.center === false ? {} : { bias: ['beta'] }),
          mean: ['moving_mean'],
          variance: ['moving_variance'],
        },
      );
      break;
    case 'Activation':
      activation(config.activation);
      break;
    case 'ReLU':
      add('relu', {
        max_value: textOf(config.max_value, 'none'),
        negative_slope: textOf(config.negative_slope, '0'),
        threshold: textOf(config.threshold, '0'),
      });
      break;
    case 'Softmax':
      // Of [n, classes], or of [n, 1, 1, classes].
      if (['-1', '1', '3'].includes(textOf(config.axis, '-1'))) add('softmax');
      else add('other');
      break;
    case 'MaxPooling2D':
      add('maxPool', window(config.pool_size, config.strides ?? config.pool_size));
      break;
    case 'Add':
      add('add');
      break;
    case 'GlobalAveragePooling2D':
      add('averagePool', { data_format: textOf(config.data_format, 'channels_last') });
      break;
    default:
      if (!TRAINING_ONLY.test(is)) add('other');
  }
  return made;
}

const textOf = (value: unknown, absent: string): string =>
  value === undefined || value === null ? absent : typeof value === 'object' ? JSON.stringify(value) : String(value as string | number);

/** "3x3" of [3, 3] or 3. */
const pairOf = (value: unknown): string => (Array.isArray(value) ? value.join('x') : `${textOf(value, '?')}x${textOf(value, '?')}`);

/** Axis -1 of an image [n, h, w, channels] is 3. */
function axisOf(axis: unknown): string {
  const one: unknown = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  return one === undefined || one === -1 || one === 3 ? 'channels' : textOf(one, '');
}
