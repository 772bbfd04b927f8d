/** A Mini_Xception: made, loaded, trained, evaluated, asked. */
import { decodeImage, readPicture, resizeBilinear, type Box } from './data/image.js';
import { FER_CLASSES, type LabelledImages } from './data/data-set.js';
import { resolveDevice, type Device, type DeviceOptions, type Precision } from './device.js';
import { invalidArgument } from './errors.js';
import { explain, type ExplainOptions, type Explanation } from './explain/explain.js';
import { classificationMetrics, type ClassificationMetrics } from './metrics/index.js';
import { native, type NativeDataSet, type NativeModel, type NativeSpec } from './native.js';
import { predictionsOf, type Prediction } from './predict/prediction.js';
import { train, type FitOptions, type TrainingResult } from './training/loop.js';
import { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from './network/model-file.js';
import type { Tensor } from './network/safetensors.js';
import { resolveWidth, type Width, type WidthSpec } from './network/width.js';

export interface CreateOptions extends DeviceOptions {
  /** Default "narrow". */
  width?: Width;
  /** Names of the classes, 2 to 1000. Default FER2013's seven. */
  classes?: string[];
  /** Side of the square grey input, 8 to 512 pixels. Default 48. */
  inputSize?: number;
  /** Seed of the initial weights. Default 0. */
  seed?: number;
}

/** Grey pixels, row after row: 0..255. */
export interface Pixels {
  pixels: ArrayLike<number>;
  width: number;
  height: number;
}

/** A path, an encoded picture in memory (JPEG, PNG, ...), or grey pixels. */
export type ImageInput = string | Uint8Array | Pixels;

export interface PredictOptions {
  /** The face's place in the picture; default the whole picture. Not for `Pixels`. */
  box?: Box;
  /** Average the logits of the image and its mirror image. Default false. */
  flip?: boolean;
}

export interface EvaluateOptions {
  /** Default PrivateTest, or Test where there is no PrivateTest. */
  split?: string;
  /** Average each image with its mirror image. Default false. */
  flip?: boolean;
}

export class MiniXception {
  private constructor(
    /** @internal */ readonly native: NativeModel,
    readonly metadata: ModelMetadata,
  ) {}

  /**
   * A network with random weights (PyTorch's default initialisation).
   * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_DEVICE_UNAVAILABLE, ERR_FER_OUT_OF_MEMORY
   */
  static create(options: CreateOptions = {}): MiniXception {
    const { seed = 0 } = options;
    const device = resolveDevice(options);
    if (!Number.isSafeInteger(seed) || seed < 0) invalidArgument('seed', 'a whole number from 0', seed);
    const classes = options.classes ?? FER_CLASSES;
    if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string'))
      invalidArgument('classes', 'an array of names', classes);
    const metadata: ModelMetadata = {
      width: resolveWidth(options.width ?? 'narrow'),
      classes: [...classes],
      inputSize: options.inputSize ?? 48,
      normalization: 'x/127.5-1',
    };
    const spec: NativeSpec = { ...metadata.width, classes: classes.length, inputSize: metadata.inputSize };
    return new MiniXception(new (native().Model)(spec, { ...device, seed }), metadata);
  }

  /**
   * Reads a .safetensors model of this package or a Keras hdf5 checkpoint of Mini_XCEPTION.
   * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_MODEL_FORMAT
   */
  static async load(path: string, options: DeviceOptions = {}): Promise<MiniXception> {
    return MiniXception.fromFile(await readModelFile(path), options);
  }

  /** A network from a model file already in memory. */
  static fromFile({ metadata, tensors }: ModelFile, options: DeviceOptions = {}): MiniXception {
    const model = MiniXception.create({ ...options, ...metadata });
    Object.assign(model.metadata, { training: metadata.training, source: metadata.source });
    model.setTensors(tensors);
    return model;
  }

  get width(): WidthSpec {
    return this.metadata.width;
  }
  get classes(): readonly string[] {
    return this.metadata.classes;
  }
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
  /** "cpu" or "cuda:<number>". */
  get device(): Device {
    return this.native.device as Device;
  }
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

  /** Copies of all tensors by name, in PyTorch's layout. */
  tensors(): Map<string, Tensor> {
    return new Map(this.native.tensors().map(({ name, shape, data }) => [name, { shape, data }]));
  }

  /** Overwrites every tensor of the network from `tensors`, ignoring others there. */
  setTensors(tensors: ReadonlyMap<string, Tensor>): void {
    for (const { name } of this.native.tensors()) {
      const tensor = tensors.get(name);
      if (!tensor) invalidArgument('tensors', `a tensor named ${name}`, 'none');
      this.native.setTensor(name, tensor.data);
    }
  }

  /** Writes safetensors, whole or not at all. */
  async save(path: string): Promise<void> {
    await writeModelFile(path, { metadata: this.metadata, tensors: this.tensors() });
  }

  /** A second network of the same form on the same device, with the same weights. */
  clone(): MiniXception {
    return MiniXception.fromFile(
      { metadata: { ...this.metadata }, tensors: this.tensors() },
      { device: this.device, threads: this.native.threads, precision: this.precision },
    );
  }

  /**
   * Recognises one picture or many; the result has the input's form.
   * @throws {FerError} ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND, ERR_FER_ARGUMENT
   */
  predict(input: ImageInput, options?: PredictOptions): Promise<Prediction>;
  predict(inputs: ImageInput[], options?: PredictOptions): Promise<Prediction[]>;
  async predict(inputs: ImageInput | ImageInput[], options: PredictOptions = {}): Promise<Prediction | Prediction[]> {
    const list = Array.isArray(inputs) ? inputs : [inputs];
    const size = this.inputSize;
    const images = new Uint8Array(list.length * size * size);
    await Promise.all(list.map(async (input, i) => images.set(await this.toInput(input, options.box), i * size * size)));
    const logits = await this.native.logits(images, list.length);
    if (options.flip) {
      const mirrored = images.map((_, i) => images[i - (i % size) + (size - 1 - (i % size))]);
      (await this.native.logits(mirrored, list.length)).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
    }
    const predictions = predictionsOf(logits, this.classes);
    return Array.isArray(inputs) ? predictions : predictions[0];
  }

  /**
   * Shows what on a face speaks for a class; `drawExplanation` makes a picture of it.
   * @throws {FerError} ERR_FER_ARGUMENT for a class, layer or method that is not there, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND
   */
  async explain(input: ImageInput, options: ExplainOptions & { box?: Box } = {}): Promise<Explanation> {
    const seen = await this.toInput(input, options.box);
    const encoded = typeof input === 'string' || input instanceof Uint8Array;
    return explain(this, seen, encoded ? await readPicture(input, options.box) : input, options);
  }

  private async toInput(input: ImageInput, box: Box | undefined): Promise<Uint8Array> {
    const size = this.inputSize;
    if (typeof input === 'string' || input instanceof Uint8Array) return decodeImage(input, { size, box });
    const { pixels, width, height } = (input ?? {}) as Pixels;
    if (!pixels || pixels.length !== width * height || !(pixels.length > 0))
      invalidArgument('image', 'a path, an encoded picture, or { pixels, width, height } with width x height values', input);
    if (box) invalidArgument('box', 'no box with raw pixels (cut them yourself)', box);
    if (width !== height) invalidArgument('image', 'square pixels (or an encoded picture, which is stretched)', `${width}x${height}`);
    return resizeBilinear(Uint8ClampedArray.from(pixels) as unknown as Uint8Array, 1, width, size);
  }

  /** Logits [n, classes] of one split, in its order. */
  async logitsOf(data: LabelledImages, split: string, options: { flip?: boolean } = {}): Promise<Float32Array> {
    const rows = data.splits.get(split);
    if (!rows) invalidArgument('split', [...data.splits.keys()].join(', '), split);
    using resident = disposable(residentData(data));
    const logits = await this.native.logitsOf(resident.value, rows, false);
    if (options.flip) (await this.native.logitsOf(resident.value, rows, true)).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
    return logits;
  }

  /** Figures on one split; images of another size are resized (bilinear) first. */
  async evaluate(data: LabelledImages, options: EvaluateOptions = {}): Promise<ClassificationMetrics> {
    if (data.classes.join() !== this.classes.join())
      invalidArgument('data', `the model's classes (${this.classes.join(', ')})`, data.classes.join(', '));
    const split = options.split ?? (data.splits.has('PrivateTest') ? 'PrivateTest' : 'Test');
    const logits = await this.logitsOf(data, split, options);
    const rows = data.splits.get(split) as Uint32Array;
    return classificationMetrics(
      logits,
      Uint8Array.from(rows, (row) => data.labels[row]),
      this.classes,
    );
  }

  /** Trains this network in place; see `FitOptions`. */
  fit(data: LabelledImages, options: FitOptions = {}): Promise<TrainingResult> {
    return train(this, data, options);
  }

  /** Frees native memory now instead of when the object is collected. */
  dispose(): void {
    this.native.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The data set in native memory; images of another size than the network's input are resized as they are read. */
export function residentData(data: LabelledImages): NativeDataSet {
  return new (native().DataSet)(data.images, data.labels, data.size);
}

function disposable<T extends { dispose(): void }>(value: T): { value: T; [Symbol.dispose](): void } {
  return { value, [Symbol.dispose]: () => value.dispose() };
}
