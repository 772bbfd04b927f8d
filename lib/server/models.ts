/** The networks that a server asks, by name. */
import type { DeviceOptions } from '../device.js';
import { invalidArgument } from '../errors.js';
import { MiniXception } from '../model.js';
import { modelFileOf, modelName, PRETRAINED_NAMES, type PretrainedName } from '../pretrained.js';
import { Batcher } from './batcher.js';
import { RequestError } from './failure.js';

export interface ServedModel {
  name: string;
  network: MiniXception;
  batcher: Batcher;
  /** As ONNX, grey pixels in and probabilities out; made when it is first asked for. */
  onnx: () => Promise<Uint8Array>;
}

const isPretrained = (name: string): boolean => PRETRAINED_NAMES.includes(name as PretrainedName);

export class ServedModels {
  private constructor(private readonly models: readonly ServedModel[]) {}

  /** @throws {FerError} as `MiniXception.load`; ERR_FER_ARGUMENT where two have one name */
  static async load(
    given: readonly string[],
    device: DeviceOptions,
    batching: { maxBatch: number; delay: number; onBatch: (model: string, images: number) => void },
  ): Promise<ServedModels> {
    const models: ServedModel[] = [];
    for (const each of given) {
      const name = isPretrained(each) ? each : modelName(each);
      if (models.some((model) => model.name === name)) invalidArgument('models', 'models of different names', `${name} twice`);
      const network = await MiniXception.load(modelFileOf(each), device);
      const { maxBatch, delay, onBatch } = batching;
      let onnx: Promise<Uint8Array> | undefined;
      models.push({
        name,
        network,
        batcher: new Batcher(network.native, { maxBatch, delay, onBatch: (images) => onBatch(name, images) }),
        onnx: () => (onnx ??= network.toOnnx({ softmax: true })),
      });
    }
    return new ServedModels(models);
  }

  get all(): readonly ServedModel[] {
    return this.models;
  }

  /** The first where none is named. @throws {RequestError} 404 */
  named(name: string | undefined): ServedModel {
    const found = name === undefined ? this.models[0] : this.models.find((model) => model.name === name);
    if (found) return found;
    const names = this.models.map((model) => model.name).join(', ');
    throw new RequestError(404, 'ERR_FER_MODEL_NOT_FOUND', `no model is called ${JSON.stringify(name?.slice(0, 80))}; there are ${names}`);
  }

  dispose(): void {
    for (const { network } of this.models) network.dispose();
  }
}
