/**
 * Which of Keras's operations is which layer of the network's plan. The plan is laid over the graph, layer by layer, with numbers that
 * stand for the channels to be found; it says itself which convolutions give the width.
 */
import type { NetworkLayer } from '../native.js';
import { describe } from './description.js';
import type { Fail, KerasGraph, KerasNode } from './keras-graph.js';
import type { WidthSpec } from './width.js';

export interface Match {
  width: WidthSpec;
  classes: number;
  /** The operation of each layer of the plan, in the plan's order. */
  nodes: KerasNode[];
  /** Those that bring pixels to the input's range, in their order. */
  rescaling: KerasNode[];
}

/** The most modules that a network may have. */
const MOST_MODULES = 16;
/** Channel counts that stand for what a file is asked for; each is another, and none is a picture's one channel. */
const STEM: [number, number] = [1001, 1002];
const MODULE = 2001;
const CLASSES = 256;

/** @throws by `fail`, naming the layer that differs and how. */
export function matchPlan(graph: KerasGraph, fail: Fail): Match {
  let best: Attempt | undefined;
  for (let modules = 1; modules <= MOST_MODULES; modules++) {
    const attempt = layOver(graph, modules);
    if (attempt.found) return attempt.found;
    // Of the counts that do not fit, the one that goes on the longest says best where the file differs; of equals, the one of like size.
    if (!best || attempt.reached > best.reached || (attempt.reached === best.reached && attempt.unlike < best.unlike)) best = attempt;
  }
  return fail(best!.reason!);
}

interface Attempt {
  /** Layers of the plan that the file has. */
  reached: number;
  /** By how many layers plan and file differ in size. */
  unlike: number;
  reason?: string;
  found?: Match;
}

function layOver({ input, nodes, output }: KerasGraph, modules: number): Attempt {
  const width: WidthSpec = { stem: STEM, modules: Array.from({ length: modules }, (_, i) => MODULE + i) };
  const plan = describe({ width, classes: Array.from({ length: CLASSES }, String), inputSize: 48 });
  const shapes = new Map(plan.tensors.map(({ name, shape }) => [name, shape]));
  const channels = new Map<number, { count: number; of: string }>();
  const rescaling = rescalingAfter(input, nodes);
  const values = new Map<number, KerasNode>([[0, rescaling.at(-1) ?? input]]);
  const taken = new Set<KerasNode>([input, ...rescaling]);
  const matched: KerasNode[] = [];
  const unlike = Math.abs(plan.layers.length - nodes.length);
  const stop = (reason: string): Attempt => ({ reached: matched.length, unlike, reason });
  for (const layer of plan.layers) {
    const inputs = layer.inputs.map((value) => values.get(value)!);
    const alike = nodes.filter((node) => !taken.has(node) && node.kind === kindOf(layer) && sameMembers(node.inputs, inputs));
    if (alike.length === 0) {
      const readers = nodes.filter((node) => !taken.has(node) && node.inputs.some((from) => inputs.includes(from)));
      return stop(missing(layer, inputs, readers));
    }
    const node = alike.find((one) => difference(one, layer) === undefined) ?? alike[0];
    const differs = difference(node, layer);
    if (differs) return stop(`layer ${node.layer}${placeOf(layer)}: ${differs}`);
    if (node.kind === 'convolution') {
      const stands = shapes.get(layer.tensors[0])![0];
      const count = Number(node.config.filters);
      const before = channels.get(stands);
      if (before && before.count !== count)
        return stop(`layer ${node.layer}${placeOf(layer)}: filters ${count}, expected ${before.count}, as layer ${before.of} has`);
      if (!before) channels.set(stands, { count, of: node.layer });
    }
    taken.add(node);
    values.set(layer.output, node);
    matched.push(node);
  }
  const last = matched[matched.length - 1];
  const end = output.kind === 'softmax' ? output.inputs[0] : output;
  const extra = nodes.find((node) => !taken.has(node) && node !== output);
  if (extra) return stop(`layer ${extra.layer}: ${aOrAn(extra.is)} that Mini_XCEPTION does not have`);
  if (end !== last) return stop(`layer ${output.layer}: ${aOrAn(output.is)} at the end, expected softmax after layer ${last.layer}`);
  const countOf = (stands: number): number => channels.get(stands)!.count;
  return {
    reached: matched.length,
    unlike,
    found: {
      width: { stem: [countOf(width.stem[0]), countOf(width.stem[1])], modules: width.modules.map(countOf) },
      classes: countOf(CLASSES),
      nodes: matched,
      rescaling,
    },
  };
}

function rescalingAfter(input: KerasNode, nodes: readonly KerasNode[]): KerasNode[] {
  const found: KerasNode[] = [];
  for (let at: KerasNode | undefined = input; at; ) {
    const from: KerasNode = at;
    const readers = nodes.filter(({ inputs }) => inputs.includes(from));
    at = readers.length === 1 && readers[0].kind === 'rescaling' ? readers[0] : undefined;
    if (at) found.push(at);
  }
  return found;
}

const kindOf = (layer: NetworkLayer): KerasNode['kind'] => (layer.depthwise ? 'depthwise' : layer.kind);

const sameMembers = (a: readonly KerasNode[], b: readonly KerasNode[]): boolean =>
  a.length === b.length && a.every((node) => b.includes(node)) && b.every((node) => a.includes(node));

/** " (modules.3.separable1)"; nothing for layers without a name. */
const placeOf = ({ name }: NetworkLayer): string => (name ? ` (${name} here)` : '');

/** What the plan says of a layer, in the words of a Keras node's facts. */
function factsOf(layer: NetworkLayer): Record<string, string> {
  const square = (n: number): string => `${n}x${n}`;
  const window = {
    kernel: square(layer.kernel),
    strides: square(layer.stride),
    // Of one tap, both are the same, with strides too.
    ...(layer.kernel === 1 ? {} : { padding: layer.padding as string }),
    data_format: 'channels_last',
  };
  switch (layer.kind) {
    case 'convolution':
      return { ...window, dilation: '1x1', groups: '1', ...(layer.depthwise ? { depth_multiplier: '1' } : {}) };
    case 'batchNorm':
      return { axis: 'channels', renorm: 'false' };
    case 'relu':
      return { max_value: 'none', negative_slope: '0', threshold: '0' };
    case 'maxPool':
      return window;
    case 'averagePool':
      return { data_format: 'channels_last' };
    default:
      return {};
  }
}

/** The first fact in which they differ; what Keras does not say is as it should be. */
function difference(node: KerasNode, layer: NetworkLayer): string | undefined {
  for (const [fact, expected] of Object.entries(factsOf(layer))) {
    const got = node.facts[fact];
    if (got !== undefined && got !== expected && Number(got) !== Number(expected)) return `${fact} ${got}, expected ${expected}`;
  }
  return undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  convolution: 'a convolution',
  depthwise: 'a separable or depthwise convolution',
  batchNorm: 'a batch norm',
  relu: 'the activation relu',
  maxPool: 'a max pooling',
  add: 'an addition',
  averagePool: 'a global average pooling',
};

const aOrAn = (is: string): string => (is.startsWith('activation') ? is : `${/^[AEIOU]/.test(is) ? 'an' : 'a'} ${is}`);

/** "after layer conv2d_1 comes a BatchNormalization, batch_normalization_1; expected …" */
function missing(layer: NetworkLayer, inputs: readonly KerasNode[], next: readonly KerasNode[]): string {
  const from = inputs.map((node) => node.layer).join(' and ');
  const size = layer.kind === 'convolution' ? ` of ${layer.kernel}x${layer.kernel}` : '';
  const stride = layer.kind === 'convolution' && layer.stride > 1 ? ` with strides ${layer.stride}x${layer.stride}` : '';
  const expected = `expected ${WORDS[kindOf(layer)]}${size}${stride}${placeOf(layer)}`;
  const there = next.map(({ is, layer: name }) => `layer ${name}, ${aOrAn(is)}`).join(' and ');
  return `after layer ${from} comes ${there || 'nothing more'}; ${expected}`;
}
