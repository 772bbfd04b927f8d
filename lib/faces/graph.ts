/**
 * Runs a small convolutional network from TensorFlow.js's graph form (JSON and one file of weights): the eight operations that BlazeFace
 * has, in plain loops, so that finding faces needs neither TensorFlow.js nor a binary. Values are [height, width, channels] of one picture.
 */

interface Tensor {
  shape: number[];
  data: Float32Array;
}

interface Node {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, { list?: { i?: string[]; s?: string[] }; s?: string }>;
}

/** The JSON, as far as it is read. */
export interface GraphFile {
  modelTopology: { node: { name: string; op: string; input?: string[]; attr?: Node['attr'] }[] };
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
}

/** Images that go through: [height, width, 3]; by name, what the graph's ends give. */
export interface Graph {
  run(input: Float32Array, height: number, width: number): Map<string, Float32Array>;
}

/** @throws {Error} for an operation that is not among the eight */
export function readGraph({ modelTopology, weightsManifest }: GraphFile, weights: ArrayBuffer): Graph {
  const constants = new Map<string, Tensor>();
  let at = 0;
  for (const { name, shape, dtype } of weightsManifest.flatMap((group) => group.weights)) {
    const count = shape.reduce((product, side) => product * side, 1);
    const data = dtype === 'int32' ? Float32Array.from(new Int32Array(weights, at, count)) : new Float32Array(weights, at, count);
    constants.set(name, { shape, data });
    at += 4 * count;
  }
  const nodes = modelTopology.node
    .filter(({ op }) => op !== 'Const')
    .map(({ name, op, input = [], attr = {} }): Node => ({ name, op, input, attr }));
  for (const { op } of nodes) if (!(op in OPERATIONS) && op !== 'Placeholder') throw new Error(`operation ${op} is not known`);
  const lastUse = new Map<string, number>();
  nodes.forEach(({ input }, i) => input.forEach((name) => lastUse.set(name, i)));
  return {
    run(input, height, width) {
      const values = new Map<string, Tensor>();
      const ends = new Map<string, Float32Array>();
      nodes.forEach((node, i) => {
        const value = (name: string): Tensor => constants.get(name) ?? values.get(name)!;
        const result =
          node.op === 'Placeholder' ? { shape: [height, width, 3], data: input } : OPERATIONS[node.op](node.input.map(value), node.attr);
        if (lastUse.has(node.name)) values.set(node.name, result);
        else ends.set(node.name, result.data);
        for (const name of node.input) if (lastUse.get(name) === i) values.delete(name);
      });
      return ends;
    },
  };
}

type Attributes = Node['attr'];
const text = (base64 = ''): string => atob(base64);
const strideOf = ({ strides }: Attributes): number => Number(strides.list!.i![1]);

/** Along one side: how many windows, and how far before the picture the first begins, as TensorFlow's "SAME" says. */
function placed(side: number, kernel: number, stride: number, attributes: Attributes): { windows: number; before: number } {
  if (text(attributes.padding.s) === 'VALID') return { windows: Math.floor((side - kernel) / stride) + 1, before: 0 };
  const windows = Math.ceil(side / stride);
  return { windows, before: Math.max((windows - 1) * stride + kernel - side, 0) >> 1 };
}

/** Windows over pictures of one size. */
interface Windows {
  rows: number;
  columns: number;
  /** Of every pixel that a window covers: the numbers of the window, of the pixel, and of its place among the window's, row after row. */
  covered: Int32Array;
}

const known = new Map<string, Windows>();

/** Made once for each size: a picture is looked at many times. */
function windowsOver([height, width]: readonly number[], kernel: number, attributes: Attributes): Windows {
  const stride = strideOf(attributes);
  const down = placed(height, kernel, stride, attributes);
  const across = placed(width, kernel, stride, attributes);
  const key = [height, width, kernel, stride, down.windows, across.windows].join();
  const before = known.get(key);
  if (before) return before;
  const covered = new Int32Array(3 * down.windows * across.windows * kernel * kernel);
  let count = 0;
  for (let y = 0, window = 0; y < down.windows; y++)
    for (let x = 0; x < across.windows; x++, window++)
      for (let ky = 0; ky < kernel; ky++)
        for (let kx = 0; kx < kernel; kx++) {
          const [row, column] = [y * stride - down.before + ky, x * stride - across.before + kx];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          covered[count++] = window;
          covered[count++] = row * width + column;
          covered[count++] = ky * kernel + kx;
        }
  const windows = { rows: down.windows, columns: across.windows, covered: covered.subarray(0, count) };
  known.set(key, windows);
  return windows;
}

function convolution([{ shape, data }, filter, bias]: Tensor[], attributes: Attributes): Tensor {
  const channels = shape[2];
  const [kernel, , , outputs] = filter.shape;
  const weights = filter.data;
  const { rows, columns, covered } = windowsOver(shape, kernel, attributes);
  const out = new Float32Array(rows * columns * outputs);
  for (let o = 0; o < out.length; o += outputs) out.set(bias.data, o);
  for (let i = 0; i < covered.length; i += 3) {
    const [to, from] = [covered[i] * outputs, covered[i + 1] * channels];
    let w = covered[i + 2] * channels * outputs;
    let c = 0;
    // Four channels at a time: a sum is read and written a quarter as often.
    for (; c + 4 <= channels; c += 4, w += 4 * outputs) {
      const [p, q, r, s] = [data[from + c], data[from + c + 1], data[from + c + 2], data[from + c + 3]];
      if (p === 0 && q === 0 && r === 0 && s === 0) continue;
      const [w1, w2, w3] = [w + outputs, w + 2 * outputs, w + 3 * outputs];
      for (let k = 0; k < outputs; k++) out[to + k] += p * weights[w + k] + q * weights[w1 + k] + r * weights[w2 + k] + s * weights[w3 + k];
    }
    for (; c < channels; c++, w += outputs) {
      const value = data[from + c];
      for (let k = 0; k < outputs; k++) out[to + k] += value * weights[w + k];
    }
  }
  const result = { shape: [rows, columns, outputs], data: out };
  return attributes.fused_ops.list!.s!.some((each) => text(each) === 'Relu') ? rectified(result) : result;
}

function depthwise([{ shape, data }, filter]: Tensor[], attributes: Attributes): Tensor {
  const channels = shape[2];
  const weights = filter.data;
  const { rows, columns, covered } = windowsOver(shape, filter.shape[0], attributes);
  const out = new Float32Array(rows * columns * channels);
  for (let i = 0; i < covered.length; i += 3) {
    const [to, from, w] = [covered[i] * channels, covered[i + 1] * channels, covered[i + 2] * channels];
    for (let c = 0; c < channels; c++) out[to + c] += data[from + c] * weights[w + c];
  }
  return { shape: [rows, columns, channels], data: out };
}

function maxPool([{ shape, data }]: Tensor[], attributes: Attributes): Tensor {
  const channels = shape[2];
  const { rows, columns, covered } = windowsOver(shape, Number(attributes.ksize.list!.i![1]), attributes);
  const out = new Float32Array(rows * columns * channels).fill(-Infinity);
  for (let i = 0; i < covered.length; i += 3) {
    const [to, from] = [covered[i] * channels, covered[i + 1] * channels];
    for (let c = 0; c < channels; c++) if (data[from + c] > out[to + c]) out[to + c] = data[from + c];
  }
  return { shape: [rows, columns, channels], data: out };
}

function rectified({ shape, data }: Tensor): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i] > 0 ? data[i] : 0;
  return { shape, data: out };
}

/** Two values of one shape, or one a channel. */
function add([a, b]: Tensor[]): Tensor {
  const data = new Float32Array(a.data.length);
  const period = b.data.length;
  for (let i = 0; i < data.length; i += period) for (let j = 0; j < period; j++) data[i + j] = a.data[i + j] + b.data[j];
  return { shape: a.shape, data };
}

/** More channels, of zeros. */
function padChannels([{ shape, data }, paddings]: Tensor[]): Tensor {
  const [height, width, channels] = shape;
  const more = paddings.data[7];
  if (paddings.data.some((value, i) => i < 7 && value !== 0)) throw new Error('only channels are padded behind');
  const out = new Float32Array(height * width * (channels + more));
  for (let i = 0; i < height * width; i++) out.set(data.subarray(i * channels, (i + 1) * channels), i * (channels + more));
  return { shape: [height, width, channels + more], data: out };
}

const OPERATIONS: Record<string, (inputs: Tensor[], attributes: Attributes) => Tensor> = {
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: depthwise,
  AddV2: add,
  Relu: ([value]) => rectified(value),
  MaxPool: maxPool,
  Pad: padChannels,
  Reshape: ([{ data }, { data: shape }]) => ({ shape: [...shape], data }),
  Identity: ([value]) => value,
};
