/**
 * The typed boundary: the one file that knows the shape of the compiled addon.
 *
 * Everything below mirrors `native/addon/`, class by class. Arguments are checked in the TypeScript modules that call this file; the addon checks again what
 * could corrupt memory: types, lengths, ranges (ERR_FER_ARGUMENT). Promises returned here settle on the event loop; the work runs off it, in the order in
 * which one network was asked, and between the steps of a training.
 */
import { openAddon } from './addon-file.js';
import { FerError } from './errors.js';

/** Geometry of a network; see `native/network/plan.h`. */
export interface NativeSpec {
  /** Output channels of the two stem convolutions. */
  stem: [number, number];
  /** Output channels of each residual module. */
  modules: number[];
  classes: number;
  /** Height and width of the square grey input, in pixels. */
  inputSize: number;
}

/** One named tensor, in the layout PyTorch uses for it (convolutions OIHW). `data` is a copy. */
export interface NativeTensor {
  name: string;
  shape: number[];
  data: Float32Array;
  /** False for batch norm's running statistics. */
  trainable: boolean;
}

/** What it takes to overwrite a tensor. */
export type NativeValues = Pick<NativeTensor, 'name' | 'data'>;

/** Grey images and their labels, resident in native memory. Nothing reads it before it is full. */
export interface NativeDataSet {
  /** Images so far. */
  readonly count: number;
  readonly size: number;
  /** Copies images [n, size, size] and their labels [n] behind those there. */
  append(images: Uint8Array, labels: Uint8Array): void;
  dispose(): void;
}

export interface NativeAugmentation {
  /** Probability of a horizontal flip, 0..1. */
  flip: number;
  /** Probability that the geometric part (rotation, shift, zoom) is applied, 0..1. */
  geometric: number;
  /** Largest rotation, degrees. */
  rotation: number;
  /** Largest shift, as a fraction of the side. */
  shift: number;
  /** Largest relative change of scale: 0.1 draws from 0.9..1.1. */
  zoom: number;
  /** What geometry brings in from outside the image: the edge repeated, or black. */
  fill: 'edge' | 'black';
  /** Probability that geometry reads the nearest pixel instead of interpolating, 0..1. */
  nearest: number;
  /** Probability that brightness and contrast change, 0..1. */
  photometric: number;
  /** Largest relative change of brightness (a factor drawn from 1-b..1+b). */
  brightness: number;
  /** Largest relative change of contrast about the image mean. */
  contrast: number;
  /** Probability of one cut-out square, 0..1. */
  cutout: number;
  /** Largest side of the cut-out square, as a fraction of the image side. */
  cutoutSize: number;
}

export interface NativeTrainerOptions {
  batchSize: number;
  optimizer: 'sgd' | 'adamw' | 'adam';
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Largest global gradient norm; 0 turns clipping off. */
  clipNorm: number;
  /** 0..1. */
  labelSmoothing: number;
  /** One weight a class (mean-normalised as PyTorch does), or an empty array for none. */
  classWeights: Float32Array;
  /** Decay of the averaged weights a step, at most (1 + step) / (10 + step); 0 turns averaging off. */
  emaDecay: number;
  /** Seed of shuffling, sampling and augmentation. */
  seed: number;
  /** 0: every image once an epoch; 1: every class equally often. Between: drawings proportional to count^(1 - x). */
  balancedSampling: number;
  /** How much wider augmentation's ranges become as a class's share goes to nothing. */
  rareAugmentation: number;
  augmentation: NativeAugmentation;
}

/** Totals over the images seen so far in an epoch. */
export interface NativeEpochTotals {
  /** Sum over images of the training loss. */
  lossSum: number;
  correct: number;
  seen: number;
  /** Steps finished, counted from the start of the epoch. */
  step: number;
}

export interface NativeEpochRequest {
  /** Zero-based; shuffling and augmentation depend on it and on the seed alone. */
  epoch: number;
  /** Rows of the data set to train on. */
  indices: Uint32Array;
  /** One learning rate a step; its length is the number of steps. */
  learningRates: Float32Array;
  /** Totals to go on from: zeros, or those of an interrupted epoch. */
  from: NativeEpochTotals;
}

/** What a layer has to do with the logit of one class. */
export interface NativeExplanation {
  logits: Float32Array;
  /** The class: the one asked for, or the likeliest. */
  target: number;
  /** Height and width of the layer. */
  size: number;
  channels: number;
  /** d logit / d activation of the layer, [size, size, channels]. */
  gradient: Float32Array;
  /** [size, size]. */
  gradCam: Float32Array;
}

export interface NativeModel {
  readonly parameterCount: number;
  readonly multiplyAdds: number;
  readonly threads: number;
  readonly device: string;
  /** Names the instruction set or GPU in use. */
  readonly deviceDescription: string;
  /** Of device "auto": what was chosen and why; otherwise empty. */
  readonly deviceChoice: string;
  readonly precision: string;
  /** Gives it random weights; whatever is asked next comes after it, and fails if it failed. */
  initialise(seed: number): Promise<void>;
  tensors(): Promise<NativeTensor[]>;
  /** Reads the values where they lie, until the promise settles: nobody may write to them or hand them on meanwhile. */
  setTensors(tensors: readonly NativeValues[]): Promise<void>;
  /** Logits [n, classes] of `images` [n, size, size]. */
  logits(images: Uint8Array, count: number): Promise<Float32Array>;
  /** Logits [n, classes] of rows of a resident data set; `flip` mirrors each image first. */
  logitsOf(dataSet: NativeDataSet, indices: Uint32Array, flip: boolean): Promise<Float32Array>;
  /**
   * One backward pass from a class's logit to a layer: "input", "stem.1", "stem.2", "modules.0" and on. `target` -1 takes the
   * likeliest class; `guided` hands on only positive gradients at each ReLU.
   */
  explain(image: Uint8Array, options: { layer: string; target: number; guided: boolean }): Promise<NativeExplanation>;
  /** Bytes held natively: parameters, activations, scratch; as of the last thing done with it. */
  memoryBytes(): number;
  dispose(): void;
}

export interface NativeTrainer {
  /** Takes the memory that training needs; nothing else works before it. */
  open(): Promise<void>;
  /** Trains one epoch or what is left of it; resolves early, with `step` short of the end, after `cancel()`. */
  trainEpoch(request: NativeEpochRequest, onProgress: (totals: NativeEpochTotals) => void): Promise<NativeEpochTotals>;
  /** Finish the running step, then stop. */
  cancel(): void;
  /** Optimiser moments and averaged weights, by name ("moment1.<tensor>", "moment2.<tensor>", "ema.<tensor>"). */
  state(): Promise<NativeTensor[]>;
  /** Overwrites some of the state, and the steps taken. Reads the values where they lie, as the model's `setTensors` does. */
  setState(tensors: readonly NativeValues[], steps: number): Promise<void>;
  /** Optimiser steps taken since the start of training. */
  readonly stepCount: number;
  /** Writes the averaged weights and statistics into another model of the same spec. */
  copyAverageTo(model: NativeModel): Promise<void>;
  /** Bytes held natively beside the model's own: gradients, optimiser, activations and gradients of a batch. */
  memoryBytes(): number;
  dispose(): void;
}

export interface NativeBadRow {
  /** One-based line of the file. */
  line: number;
  reason: string;
}

export interface NativeCsvResult {
  images: Uint8Array;
  labels: Uint8Array;
  /** 0 Training, 1 PublicTest, 2 PrivateTest. */
  splits: Uint8Array;
  size: number;
  badRows: NativeBadRow[];
}

/** Streaming parser of FER2013's CSV: feed chunks, then finish. */
export interface NativeCsvParser {
  /** Throws ERR_FER_DATA_FORMAT with `line` and `reason` on the first bad row unless skipping. */
  push(chunk: Uint8Array): void;
  finish(): NativeCsvResult;
}

/** One step of `perturb`: the type and its parameters, defaults filled in; see `lib/perturb/registry.ts`. */
export type NativePerturbation = Record<string, number | string>;

/** A thing that a device needs, or can use, and what was found of it. A `problem` is a sentence, empty where there is none. */
export interface DevicePart {
  name: string;
  /** Empty: not known. */
  version: string;
  /** What is there, in words. */
  found: string;
  problem: string;
  /** What the device does without it; empty: nothing, it is needed. */
  without: string;
  /** Places where it was not found, in order. */
  searched: string[];
}

/** One kind of device of the native registry, and what this machine has of it. */
export interface DeviceProbe {
  name: string;
  /** There may be several of it, numbered, and "auto" prefers it. */
  gpu: boolean;
  /** In the order in which they are needed. */
  parts: DevicePart[];
  /** In the order of their numbers. */
  units: { name: string; capability: string; memoryBytes: number }[];
}

/** A value between layers: images [size, size, channels], or a vector (size 1). */
export interface NetworkValue {
  /** Of those an explanation can be asked at: "input", "stem.1", "modules.0", ...; otherwise empty. */
  name: string;
  size: number;
  channels: number;
}

export interface NetworkLayer {
  kind: 'convolution' | 'batchNorm' | 'relu' | 'maxPool' | 'add' | 'averagePool';
  /** What its tensors' names begin with; empty where it has none. */
  name: string;
  /** Indices of values. */
  inputs: number[];
  output: number;
  /** Of convolutions and pooling; otherwise 0, 1, "valid" and false. "same" is TensorFlow's. */
  kernel: number;
  stride: number;
  padding: 'valid' | 'same';
  depthwise: boolean;
  /** What a batch norm adds to the variance; otherwise 0. */
  epsilon: number;
  /** Names: weight and perhaps bias; of a batch norm weight, bias, running mean, running variance. */
  tensors: string[];
}

/** A network as `native/network/plan.cc`, the one place that knows its topology, plans it. */
export interface NetworkDescription {
  /** Trainable. */
  parameterCount: number;
  /** Of one image's forward pass. */
  multiplyAdds: number;
  /** In the order in which files list them. */
  tensors: { name: string; shape: number[]; trainable: boolean }[];
  /** The first is the input, the last the logits. */
  values: NetworkValue[];
  /** In the order in which they run. */
  layers: NetworkLayer[];
}

/** A fused op of `native/ops.h`; channels are padded. */
export interface NativeOp {
  op: string;
  size: number;
  inChannels: number;
  outChannels: number;
  /** Of a backward op: its gradient comes by way of max pooling. */
  pooled?: boolean;
}

export interface NativeAddon {
  /** Room for `count` images. Throws ERR_FER_OUT_OF_MEMORY. */
  DataSet: new (count: number, size: number) => NativeDataSet;
  /** Weights of zero. */
  Model: new (spec: NativeSpec, options: { device: string; threads: number; precision: string }) => NativeModel;
  Trainer: new (model: NativeModel, dataSet: NativeDataSet, options: NativeTrainerOptions) => NativeTrainer;
  CsvParser: new (options: { skipBadRows: boolean }) => NativeCsvParser;
  /** Draws row `index` of a data set as training would see it the `repeat`th time (from 0) in an epoch: float [size*size], in -1..1. */
  augmentedImage(
    dataSet: NativeDataSet,
    index: number,
    options: { seed: number; epoch: number; repeat: number; strength: number; augmentation: NativeAugmentation },
  ): Float32Array;
  /**
   * Images [rows.length, height, width] through a chain of perturbations. What is random depends on the seed, each image's row and the
   * step's number, which starts at `firstStep`. `threads` 0: one a core.
   */
  perturb(
    images: Uint8Array,
    size: { width: number; height: number },
    chain: NativePerturbation[],
    options: { seed: number; rows: Uint32Array; firstStep: number; threads: number },
  ): Promise<{ images: Uint8Array; width: number; height: number }>;
  /** What the machine offers: instruction set, processors that this process may use, compiler. */
  systemInfo(): { isa: string; cores: number; compiler: string };
  /**
   * Throws ERR_FER_OUT_OF_MEMORY where the machine, the control groups and the limits of this process do not leave `bytes`: Linux grants
   * memory readily and ends the process when it is used. `what` needs them.
   */
  requireMemory(bytes: number, what: string): void;
  /** Opens plug-ins, drivers and libraries: better in a process of its own, which they could end. */
  probeDevices(): DeviceProbe[];
  /** Throws ERR_FER_ARGUMENT for widths, classes or an input size that make no network. */
  describe(spec: NativeSpec): NetworkDescription;
  /** The fused ops of a training step's forward and backward pass, in the order in which they are submitted. */
  trainingOps(spec: NativeSpec): NativeOp[];
  /** Every error the addon throws is made as `new errorClass(code, message)`. */
  useErrorClass(errorClass: typeof FerError): void;
}

let loaded: NativeAddon | undefined;

/**
 * The compiled addon, loaded on first use.
 * @throws {FerError} ERR_FER_NATIVE_LOAD when no binary fits this machine or one of its libraries is absent.
 */
export function native(): NativeAddon {
  if (loaded) return loaded;
  const addon = openAddon() as NativeAddon;
  addon.useErrorClass(FerError);
  return (loaded = addon);
}
