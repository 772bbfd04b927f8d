/** `MiniXception`: everything about one network under one name. The work is done in network/, predict/, evaluate/, training/ and explain/. */
import type { Box, ImageInput } from './data/image.js';
import type { LabelledImages } from './data/data-set.js';
import type { Device, DeviceOptions, Precision } from './device.js';
import { evaluate, logitsOf, type EvaluateOptions, type Evaluation } from './evaluate/evaluate.js';
import { explain, type ExplainOptions, type Explanation } from './explain/explain.js';
import type { NativeModel } from './native.js';
import { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from './network/model-file.js';
import {
  copyOf,
  createNetwork,
  networkOf,
  setTensors,
  tensorsOf,
  withNewHead,
  type CreateOptions,
  type Network,
} from './network/network.js';
import type { Tensor } from './network/safetensors.js';
import type { WidthSpec } from './network/width.js';
import type { OnnxOptions } from './onnx/options.js';
import { pretrainedFile, type PretrainedName } from './pretrained.js';
import { predict, type PredictOptions } from './predict/predict.js';
import type { FacePrediction, PredictFacesOptions } from './faces/predict-faces.js';
import type { Prediction } from './predict/prediction.js';
import type { FitOptions, TrainingResult } from './training/fit.js';

/** One network under one name: making, loading, predicting, explaining, evaluating, training, saving. */
export class MiniXception {
  /** @internal */ readonly native: NativeModel;
  /** What a model file says beside the tensors. */
  readonly metadata: ModelMetadata;

  private constructor(network: Network) {
    this.native = network.native;
    this.metadata = network.metadata;
  }

  /**
   * A network with random weights (PyTorch's default initialisation).
   * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_DEVICE_UNAVAILABLE, ERR_FER_OUT_OF_MEMORY
   */
  static create(options: CreateOptions = {}): MiniXception {
    return new MiniXception(createNetwork(options));
  }

  /**
   * Reads a .safetensors model of this package or of PyTorch, an ONNX file that this package exported, or a Keras hdf5 checkpoint of
   * Mini_XCEPTION.
   * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_MODEL_FORMAT
   */
  static async load(path: string, options: DeviceOptions = {}): Promise<MiniXception> {
    return MiniXception.fromFile(await readModelFile(path), options);
  }

  /**
   * A trained network that comes with the package; `PRETRAINED` lists them.
   * @throws {FerError} ERR_FER_ARGUMENT for a name that is not there
   */
  static pretrained(name: PretrainedName, options: DeviceOptions = {}): Promise<MiniXception> {
    return MiniXception.load(pretrainedFile(name), options);
  }

  /** A network from a model file already in memory. */
  static async fromFile(file: ModelFile, options: DeviceOptions = {}): Promise<MiniXception> {
    return new MiniXception(await networkOf(file, options));
  }

  /** Channels of the stem and the modules. */
  get width(): WidthSpec {
    return this.metadata.width;
  }
  /** Names of the classes, in the order of the logits. */
  get classes(): readonly string[] {
    return this.metadata.classes;
  }
  /** Height and width of the square grey input, pixels. */
  get inputSize(): number {
    return this.metadata.inputSize;
  }
  /** Trainable parameters. */
  get parameterCount(): number {
    return this.native.parameterCount;
  }
  /** Multiply-adds of one image's forward pass. */
  get multiplyAdds(): number {
    return this.native.multiplyAdds;
  }
  /** The device in use, with its number where it has one. */
  get device(): Device {
    return this.native.device as Device;
  }
  /** What convolutions multiply in. */
  get precision(): Precision {
    return this.native.precision as Precision;
  }
  /** Of device "auto": what was chosen and why, a sentence; otherwise empty. */
  get deviceChoice(): string {
    return this.native.deviceChoice;
  }
  /** Such as "CPU, x86-64-v4 kernels, 2 threads". */
  get deviceDescription(): string {
    return this.native.deviceDescription;
  }

  /** Copies of all tensors by name, in PyTorch's layout; during a training, as they are between two of its steps. */
  tensors(): Promise<Map<string, Tensor>> {
    return tensorsOf(this);
  }

  /** Overwrites every tensor of the network from `tensors`, ignoring others there. */
  setTensors(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    // The caller may write to its own at once. What is no such array, the native core refuses by name.
    const copy = (data: Float32Array): Float32Array => (data instanceof Float32Array ? data.slice() : data);
    const copies = [...tensors].map(([name, { shape, data }]): [string, Tensor] => [name, { shape, data: copy(data) }]);
    return setTensors(this, new Map(copies));
  }

  /** Writes safetensors, whole or not at all. */
  async save(path: string): Promise<void> {
    await writeModelFile(path, { metadata: this.metadata, tensors: await this.tensors() });
  }

  /**
   * The bytes of an ONNX file: pixels of 0..255 go in, logits come out; see `OnnxOptions`.
   * @throws {FerError} ERR_FER_ARGUMENT
   */
  async toOnnx(options: OnnxOptions = {}): Promise<Uint8Array> {
    const { encodeOnnx } = await import('./network/onnx.js');
    return encodeOnnx({ metadata: this.metadata, tensors: await this.tensors() }, options);
  }

  /** A second network of the same form on the same device, with the same weights. */
  async clone(): Promise<MiniXception> {
    return new MiniXception(await copyOf(this));
  }

  /**
   * A second network for other classes on the same device: these weights, and a head drawn anew (`seed`, default 0) to be trained.
   * @throws {FerError} ERR_FER_ARGUMENT
   */
  async withNewHead(classes: readonly string[], options: { seed?: number } = {}): Promise<MiniXception> {
    const { device, precision } = this;
    const file = await withNewHead({ metadata: this.metadata, tensors: await this.tensors() }, classes, options.seed);
    return MiniXception.fromFile(file, { device, threads: this.native.threads, precision });
  }

  /**
   * Recognises one picture or many; the result has the input's form.
   * @throws {FerError} ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND, ERR_FER_ARGUMENT
   */
  predict(input: ImageInput, options?: PredictOptions): Promise<Prediction>;
  predict(inputs: ImageInput[], options?: PredictOptions): Promise<Prediction[]>;
  async predict(inputs: ImageInput | ImageInput[], options: PredictOptions = {}): Promise<Prediction | Prediction[]> {
    return Array.isArray(inputs) ? predict(this, inputs, options) : (await predict(this, [inputs], options))[0];
  }

  /**
   * Finds the faces on a photograph and recognises each: turned upright and cut out as FER2013's faces are. The surest face first; an empty
   * list where there is none. Finding needs an optional package, or a finder or boxes of your own.
   * @throws {FerError} ERR_FER_PACKAGE_MISSING, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND, ERR_FER_ARGUMENT
   */
  async predictFaces(input: ImageInput, options: PredictFacesOptions = {}): Promise<FacePrediction[]> {
    const { predictFaces } = await import('./faces/predict-faces.js');
    return predictFaces(this, input, options);
  }

  /**
   * Shows what on a face speaks for a class; `drawExplanation` makes a picture of it.
   * @throws {FerError} ERR_FER_ARGUMENT for a class, layer or method that is not there, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND
   */
  explain(input: ImageInput, options: ExplainOptions & { box?: Box } = {}): Promise<Explanation> {
    return explain(this, input, options);
  }

  /** Logits [n, classes] of one split, in its order. */
  logitsOf(data: LabelledImages, split: string, options: { flip?: boolean } = {}): Promise<Float32Array> {
    return logitsOf(this, data, split, options);
  }

  /**
   * Figures on one split; images of another size are resized (bilinear) first. Classes are matched by name; those that only one side has
   * are left out, and `overlap` says which.
   * @throws {FerError} ERR_FER_ARGUMENT for a split that is not there, or fewer than two classes in common
   */
  evaluate(data: LabelledImages, options: EvaluateOptions = {}): Promise<Evaluation> {
    return evaluate(this, data, options);
  }

  /** Trains this network in place; see `FitOptions`. */
  async fit(data: LabelledImages, options: FitOptions = {}): Promise<TrainingResult> {
    const { train } = await import('./training/loop.js');
    return train(this, data, options);
  }

  /** Frees native memory now instead of when the object is collected. */
  dispose(): void {
    this.native.dispose();
  }
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
