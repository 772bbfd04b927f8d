import type { NetworkDescription } from '../../lib/native.js';
import type { Tensor } from '../../lib/network/safetensors.js';

export interface KerasLayer {
  class_name: string;
  name: string;
  config: Record<string, unknown>;
  inbound_nodes: [name: string, node: number, tensor: number, kwargs: object][][];
}
export interface KerasConfig {
  class_name: string;
  config: { layers: KerasLayer[]; input_layers: unknown; output_layers: unknown };
}
export type KerasWeights = Map<string, [weight: string, tensor: string][]>;
export function kerasConfig(plan: NetworkDescription, inputSize: number): { config: KerasConfig; weights: KerasWeights };
export function writeKeras(
  file: string,
  modelConfig: string | undefined,
  weights: KerasWeights,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<void>;
