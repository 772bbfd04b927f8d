/** A network as an ONNX model: what the input becomes before the first layer, the layers, and what the logits become. */
import { FerError } from '../errors.js';
import type { NetworkDescription } from '../native.js';
import { Graph, type Tensor } from './graph.js';
import { halvesOf } from './half.js';
import { addLayers } from './layers.js';
import { INPUTS, irVersion, type OnnxOptions } from './options.js';
import { ELEMENT, type Element, type OnnxModel, type RawTensor, type ValueInfo } from './schema.js';

/** Hugging Face's and so transformers.js's name of a picture's tensor. */
const INPUT = 'pixel_values';

/** Grey from red, green and blue, as JPEG's luma and lib/data/grey.ts weigh them. */
const LUMA = [0.299, 0.587, 0.114];

/** A protobuf message has at most 2 GiB; some of it is not weights. */
const MOST_BYTES = 2 ** 31 - 2 ** 20;

export interface Facts {
  producerVersion: string;
  /** For people: what the graph is. */
  about: string;
  classes: readonly string[];
  /** Kept beside the graph, in this order. */
  metadata: Record<string, string>;
}

/**
 * The nodes and the tensors they read, and which of these are the graph's own instead of the network's. Rests after each layer.
 * `tensors`: the network's, of `description`.
 */
export function* buildGraph(
  description: NetworkDescription,
  tensors: ReadonlyMap<string, Tensor>,
  options: Required<OnnxOptions>,
): Generator<void, { graph: Graph; own: ReadonlySet<string>; output: string }> {
  const graph = new Graph();
  const input = addInput(graph, options);
  const own = new Set(graph.tensors.keys());
  const logits = yield* addLayers(graph, description, (name) => tensors.get(name)!, { input, fold: options.foldBatchNorm });
  return { graph, own, output: addOutput(graph, logits, options) };
}

/**
 * The model. Rests after each layer.
 * @throws {FerError} ERR_FER_ARGUMENT for more weights than a file holds, or one that is infinite in half precision
 */
export function* buildModel(
  description: NetworkDescription,
  tensors: ReadonlyMap<string, Tensor>,
  options: Required<OnnxOptions>,
  facts: Facts,
): Generator<void, OnnxModel> {
  const { opset, fp16, softmax } = options;
  const bytes = description.tensors.reduce((sum, { shape }) => sum + (fp16 ? 2 : 4) * shape.reduce((a, b) => a * b, 1), 0);
  if (bytes > MOST_BYTES)
    throw new FerError('ERR_FER_ARGUMENT', `an ONNX file holds at most 2 GiB, and the weights of this network have ${bytes} bytes`);
  const { graph, own, output } = yield* buildGraph(description, tensors, options);
  const [size, classes] = [description.values[0].size, description.values.at(-1)!.channels];
  const initializer: RawTensor[] = [];
  for (const [name, tensor] of graph.tensors) {
    initializer.push(rawTensor(name, tensor, fp16 && !own.has(name)));
    yield;
  }
  const scale = 'pixels, 0 (black) to 255 (white)';
  return {
    irVersion: irVersion(opset),
    producerName: 'fer-cudnn',
    producerVersion: facts.producerVersion,
    docString: facts.about,
    opsetImport: [{ domain: '', version: opset }],
    metadataProps: Object.entries(facts.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'mini-xception',
      node: graph.nodes,
      initializer,
      input: [valueInfo(INPUT, options.uint8 ? 'uint8' : 'float32', [INPUTS[options.input], size, size], options, scale)],
      output: [valueInfo(output, 'float32', [classes], options, `${softmax ? 'probabilities' : 'logits'} of ${facts.classes.join(', ')}`)],
    },
  };
}

/** Bytes or floats of 0..255, of one channel or three, to the grey -1..1 that the first layer reads. The tensors it adds stay float32. */
function addInput(graph: Graph, { uint8, input, fp16 }: Required<OnnxOptions>): string {
  const constant = (name: string, shape: number[], values: number[]): string => graph.tensor(name, shape, Float32Array.from(values));
  let x = INPUT;
  if (uint8) x = graph.node('Cast', [x], 'input.float', { to: ELEMENT.float32 });
  if (input === 'rgb') x = graph.node('Conv', [x, constant('input.luma', [1, 3, 1, 1], LUMA)], 'input.grey', { kernel_shape: [1, 1] });
  x = graph.node('Mul', [x, constant('input.scale', [], [1 / 127.5])], 'input.scaled');
  x = graph.node('Sub', [x, constant('input.shift', [], [1])], 'input.normalized');
  return fp16 ? graph.node('Cast', [x], 'input.half', { to: ELEMENT.float16 }) : x;
}

/** The logits, or what they become, under the output's name. */
function addOutput(graph: Graph, logits: string, { fp16, softmax }: Required<OnnxOptions>): string {
  const cast = fp16 ? graph.node('Cast', [logits], 'output.float', { to: ELEMENT.float32 }) : logits;
  const output = softmax ? 'probabilities' : 'logits';
  if (softmax) return graph.node('Softmax', [cast], output, { axis: 1 });
  graph.nodes.at(-1)!.output = [output];
  return output;
}

function rawTensor(name: string, { shape, data }: Tensor, half: boolean): RawTensor {
  if (half) {
    const index = data.findIndex((value) => Math.abs(value) >= 65520);
    if (index >= 0)
      throw new FerError(
        'ERR_FER_ARGUMENT',
        `${data[index]}, of tensor ${name} at index ${index}, is beyond what half precision holds (65504); export without fp16`,
        { details: { tensor: name, index } },
      );
    return { name, dims: shape, dataType: ELEMENT.float16, rawData: halvesOf(data) };
  }
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, dataType: ELEMENT.float32, rawData };
}

function valueInfo(name: string, element: Element, shape: number[], { dynamicBatch }: Required<OnnxOptions>, about: string): ValueInfo {
  const batch = dynamicBatch ? { dimParam: 'batch' } : { dimValue: 1 };
  const dim = [batch, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, docString: about, type: { tensorType: { elemType: ELEMENT[element], shape: { dim } } } };
}
