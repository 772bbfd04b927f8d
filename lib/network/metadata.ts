/** What a model file holds: the tensors, and what is needed to build the network and feed it. */
import type { Tensor } from './safetensors.js';
import type { WidthSpec } from './width.js';

export interface ModelMetadata {
  width: WidthSpec;
  classes: string[];
  /** Height and width of the grey input, pixels. */
  inputSize: number;
  /** How 8-bit pixels become inputs. */
  normalization: 'x/127.5-1';
  /** What produced the weights: configuration, epoch, figures. */
  training?: Record<string, unknown>;
  source?: string;
}

export interface ModelFile {
  metadata: ModelMetadata;
  tensors: Map<string, Tensor>;
}
