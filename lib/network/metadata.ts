/** What a model file holds: the tensors, and what is needed to build the network and feed it. */
import type { Tensor } from './safetensors.js';
import type { WidthSpec } from './width.js';

/** What is needed to build a network and to feed it, and where it came from. */
export interface ModelMetadata {
  /** Channels of the stem and the modules. */
  width: WidthSpec;
  /** Names of the classes, in the order of the logits. */
  classes: string[];
  /** Height and width of the grey input, pixels. */
  inputSize: number;
  /** How 8-bit pixels become inputs. */
  normalization: 'x/127.5-1';
  /** What produced the weights: configuration, epoch, figures. */
  training?: Record<string, unknown>;
  /** Where the weights came from, such as "imported from a Keras hdf5 checkpoint". */
  source?: string;
}

/** A model file in memory. */
export interface ModelFile {
  /** What the file says beside its tensors. */
  metadata: ModelMetadata;
  /** By name, in PyTorch's layout. */
  tensors: Map<string, Tensor>;
}
