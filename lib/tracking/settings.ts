/** A run's configuration in values that trackers know: text, numbers, yes and no. */
import type { TrainingConfig } from '../training/options.js';

/** Each option and its value; a list, such as of teachers, as one text. */
export const settingsOf = (config: TrainingConfig): [name: string, value: string | number | boolean][] =>
  Object.entries(config).map(([name, value]: [string, unknown]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value as string | number | boolean),
  ]);
