/** Values as JSON and YAML have them. */

/** Whether a value has keys: neither a list nor null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
