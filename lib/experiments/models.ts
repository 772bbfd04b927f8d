/** The models that an experiment looks at: where they are and what they are called. */
import path from 'node:path';
import type { DeviceOptions } from '../device.js';
import { MiniXception } from '../model.js';
import { PACKAGE_MODEL } from '../package-model.js';
import { OWN_MODEL } from './options.js';

const modelFile = (model: string): string => (model === OWN_MODEL ? PACKAGE_MODEL : model);

/** "mini-xception-narrow" of mini-xception-narrow/model.safetensors, else the file's name without its extension. */
export function modelName(model: string): string {
  const { name, dir } = path.parse(modelFile(model));
  return ['model', 'best', 'last'].includes(name) && path.basename(dir) !== '' ? path.basename(dir) : name;
}

/** `model`: a value of the option `models`. */
export const loadModel = (model: string, place: DeviceOptions): Promise<MiniXception> => MiniXception.load(modelFile(model), place);
