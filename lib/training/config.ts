/** A training configuration: options, a preset's and their defaults, checked; and the network that it asks for. */
import { type Device } from '../device.js';
import { FerError } from '../errors.js';
import { suggestion } from '../suggestion.js';
import type { CreateOptions } from '../network/network.js';
import { widthName, resolveWidth } from '../network/width.js';
import { OPTIONS, type PresetName, type TrainingConfig } from './options.js';
import { PRESETS } from './presets.js';

function problem(key: string, value: unknown): string | undefined {
  const option = OPTIONS[key as keyof TrainingConfig];
  const got = `got ${JSON.stringify(value)}, for ${key}`;
  switch (option.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected true or false, ${got}`;
    case 'choice':
      return option.choices.includes(value as string)
        ? undefined
        : `expected ${option.choices.join(', ').replace(/, ([^,]*)$/, ' or $1')}, ${got}`;
    case 'models':
      return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
        ? undefined
        : `expected a list of models, ${got}`;
    case 'width':
      try {
        resolveWidth(value as string);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    default: {
      const whole = option.kind === 'integer';
      const fits = typeof value === 'number' && value >= option.min && value <= option.max && (!whole || Number.isInteger(value));
      return fits ? undefined : `expected ${whole ? 'a whole number' : 'a number'} from ${option.min} to ${option.max}, ${got}`;
    }
  }
}

/**
 * A whole configuration: defaults, then the preset's, then `given`, all checked.
 * @throws {FerError} ERR_FER_CONFIG for an unknown key (with the nearest known one) or a value out of range.
 */
export function resolveConfig(given: Readonly<Record<string, unknown>> | Partial<TrainingConfig>): TrainingConfig {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [key, raw] of entries) {
    if (!Object.hasOwn(OPTIONS, key)) {
      const known = suggestion(key, Object.keys(OPTIONS));
      throw new FerError('ERR_FER_CONFIG', `unknown option ${JSON.stringify(key)}; did you mean ${JSON.stringify(known)}?`, {
        details: { key, nearest: known },
      });
    }
    const wrong = problem(key, raw);
    if (wrong) throw new FerError('ERR_FER_CONFIG', wrong, { details: { key } });
  }
  const own = Object.fromEntries(entries) as Partial<TrainingConfig>;
  const preset = own.preset ?? (OPTIONS.preset.default as PresetName);
  const defaults = Object.fromEntries(Object.entries(OPTIONS).map(([key, option]) => [key, option.default])) as unknown as TrainingConfig;
  const config: TrainingConfig = { ...defaults, ...PRESETS[preset].options, ...own, preset };
  if (config.minLearningRate > config.learningRate)
    throw new FerError(
      'ERR_FER_CONFIG',
      `expected at most the learning rate (${config.learningRate}), got ${config.minLearningRate}, for minLearningRate`,
      { details: { key: 'minLearningRate' } },
    );
  config.width = widthName(resolveWidth(config.width));
  return config;
}

/** What makes the network of a configuration, for classes and a place of its own: the argument of `MiniXception.create`. */
export function networkOptions(
  { width, inputSize, seed, precision }: TrainingConfig,
  place: { classes: string[]; device?: Device; threads?: number },
): CreateOptions {
  return { ...place, width: resolveWidth(width), inputSize, seed, precision };
}
