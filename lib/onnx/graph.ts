/** A graph while it is made: nodes in the order in which they run, and the tensors that they read. */
import type { NativeTensor } from '../native.js';
import { attribute, type Node } from './schema.js';

/** In PyTorch's layout, which is ONNX's. */
export type Tensor = Pick<NativeTensor, 'shape' | 'data'>;

export class Graph {
  readonly nodes: Node[] = [];
  /** By name, in the order in which they are read. */
  readonly tensors = new Map<string, Tensor>();

  /** Appends a node of one output, which gives the node its name; returns the output. */
  node(opType: string, inputs: string[], output: string, attributes: Record<string, number | number[] | { f: number }> = {}): string {
    const all = Object.entries(attributes).map(([name, value]) => attribute(name, value));
    this.nodes.push({ opType, name: output, input: inputs, output: [output], attribute: all });
    return output;
  }

  /** A tensor of the graph's own; returns its name. */
  tensor(name: string, shape: number[], data: Float32Array): string {
    this.tensors.set(name, { shape, data });
    return name;
  }
}
