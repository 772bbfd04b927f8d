/** ONNX files that `build.ts` wrote, read back: every node has to be where it would be put today, so nothing is read that would not be run. */
import type { NetworkDescription } from '../native.js';
import { buildGraph } from './build.js';
import type { Tensor } from './graph.js';
import { floatsOf } from './half.js';
import { foldable } from './layers.js';
import type { OnnxOptions } from './options.js';
import { ELEMENT, type Node, type OnnxModel, type RawTensor } from './schema.js';

type Fail = (reason: string) => never;

/** A tensor in float32; `fail` is told what is wrong with it, and throws. */
function tensorOf({ name, dims, dataType, rawData }: RawTensor, fail: Fail): Tensor {
  const count = dims.reduce((product, extent) => product * extent, 1);
  const half = dataType === ELEMENT.float16;
  if (!half && dataType !== ELEMENT.float32) fail(`tensor ${name} has elements of type ${dataType}; float32 (1) and float16 (10) are read`);
  const bytes = count * (half ? 2 : 4);
  if (rawData.length !== bytes)
    fail(`tensor ${name} of shape [${dims.join(', ')}] needs ${bytes} bytes, the file has ${rawData.length} of it`);
  // A copy: the bytes may lie at any address of the file's.
  return { shape: dims, data: half ? floatsOf(rawData) : new Float32Array(new Uint8Array(rawData).buffer) };
}

/** What a node computes, as text. */
const meaning = ({ opType, domain, input, output, attribute }: Node): string =>
  JSON.stringify([
    domain ?? '',
    opType,
    input,
    output,
    attribute
      .map(({ name, type, f, i, ints }) => [name, type, f ?? 0, i ?? 0, ints ?? []])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  ]);

/**
 * A network's tensors by their names. A batch norm that was folded comes back as one that only adds: scale 1, mean 0, and a variance that
 * with epsilon makes 1. `fail` is told what is wrong, and throws. Rests after each layer.
 */
export function* readTensors(
  { graph: found }: OnnxModel,
  description: NetworkDescription,
  options: Required<OnnxOptions>,
  fail: Fail,
): Generator<void, Map<string, Tensor>> {
  const inFile = new Map<string, Tensor>();
  for (const raw of found.initializer) {
    inFile.set(raw.name, tensorOf(raw, fail));
    yield;
  }
  const shapes = new Map(description.tensors.map(({ name, shape }) => [name, shape]));
  const tensors = new Map<string, Tensor>();
  const filled = (name: string, value: number): void => {
    const shape = shapes.get(name)!;
    tensors.set(name, { shape, data: new Float32Array(shape[0]).fill(value) });
  };
  const take = (name: string, from = name): void => {
    const tensor = inFile.get(from) ?? fail(`tensor ${from} is missing`);
    const shape = shapes.get(name)!;
    if (tensor.shape.join() !== shape.join())
      fail(`expected shape [${shape.join(', ')}], got [${tensor.shape.join(', ')}], for tensor ${from}`);
    tensors.set(name, tensor);
  };
  const norms = options.foldBatchNorm ? foldable(description) : new Map<never, never>();
  for (const [
    convolution,
    {
      tensors: [weight, bias, mean, variance],
      epsilon,
    },
  ] of norms) {
    // prettier-ignore
    filled(weight, 1);
    take(bias, `${convolution.name}.bias`);
    filled(mean, 0);
    filled(variance, 1 - epsilon);
  }
  // In the order in which files list them.
  for (const name of shapes.keys()) if (!tensors.has(name)) take(name);

  const { graph, own, output } = yield* buildGraph(description, tensors, options);
  for (const [i, node] of graph.nodes.entries()) {
    const other = found.node[i];
    if (other === undefined || meaning(other) !== meaning(node))
      fail(
        `its node ${i + 1}, ${other ? `${other.opType} ${other.name}` : 'missing'}, is not the ${node.opType} ${node.name} that was exported`,
      );
  }
  if (found.node.length !== graph.nodes.length) fail(`it has ${found.node.length - graph.nodes.length} nodes more than were exported`);
  if (found.output.map(({ name }) => name).join() !== output) fail(`its output is not ${output}`);
  for (const name of own)
    if (inFile.get(name)?.data.join() !== graph.tensors.get(name)!.data.join()) fail(`its ${name} is not what was exported`);
  return new Map([...shapes.keys()].map((name) => [name, tensors.get(name)!]));
}
