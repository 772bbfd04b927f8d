/** Perturbed images: the paper's rotations and brightness, ImageNet-C's kinds, and light that falls on part of a face. */
import type { ImageInput } from '../model.js';
import type { Perturbation } from './registry.js';

export { PERTURBATIONS, PERTURBATION_TYPES, atSeverity, type Perturbation, type PerturbationType } from './registry.js';
export { SEVERITIES, type Definition, type Fill, type Interpolation, type Parameter, type Severity } from './definition.js';

/** A grey image, row after row. */
export interface GreyImage {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** Grey images of one size, one after another: [count, height, width]. */
export interface ImageBatch {
  images: Uint8Array;
  count: number;
  width: number;
  height: number;
}

export interface PerturbOptions {
  /** Seed of what is drawn: noise, places, directions. Default 0. */
  seed?: number;
  /** Each image's row, which its draws depend on beside the seed. Default 0, 1, 2, ... */
  rows?: Uint32Array;
  /** CPU threads; 0, the default, means one a core. */
  threads?: number;
}

/**
 * Perturbs one picture or many, by one perturbation or several in turn; the result has the input's form. Pictures become grey and
 * keep their size (but for a rotation of size "loose").
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND
 */
export declare function perturb(input: ImageInput, spec: Perturbation | Perturbation[], options?: PerturbOptions): Promise<GreyImage>;
export declare function perturb(inputs: ImageInput[], spec: Perturbation | Perturbation[], options?: PerturbOptions): Promise<GreyImage[]>;

/** The same for many images of one size, in one native call. */
export declare function perturbBatch(batch: ImageBatch, spec: Perturbation | Perturbation[], options?: PerturbOptions): Promise<ImageBatch>;
