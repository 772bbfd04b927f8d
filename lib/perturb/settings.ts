/** The settings of one perturbation: defaults filled in, and checked against what its definition says. */
import { invalidArgument } from '../errors.js';
import type { Parameter } from './definition.js';
import { definitionOf, type Perturbation, type PerturbationType } from './registry.js';

/**
 * The perturbation with its defaults filled in, checked. Parameters that are drawn stay absent.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function complete(perturbation: Perturbation): Perturbation & Record<string, number | string> {
  if (typeof perturbation !== 'object' || perturbation === null) invalidArgument('perturbation', 'an object with a type', perturbation);
  const { type, ...given } = perturbation as unknown as { type: PerturbationType } & Record<string, unknown>;
  const { parameters } = definitionOf(type);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(parameters, name)) invalidArgument(type, Object.keys(parameters).join(', '), name);
  const settings: Record<string, unknown> = { type };
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = given[name] ?? parameter.default;
    if (value === undefined && parameter.drawn) continue;
    if (!accepts(parameter, value)) invalidArgument(`${type}.${name}`, expectation(parameter), value);
    settings[name] = value;
  }
  return settings as Perturbation & Record<string, number | string>;
}

/** Whether a parameter takes `value`. */
export function accepts({ range, whole, choices }: Parameter, value: unknown): boolean {
  if (typeof value === 'string') return choices?.includes(value) ?? false;
  if (typeof value !== 'number' || !range) return false;
  return value >= range[0] && value <= range[1] && (!whole || Number.isInteger(value));
}

/** What a parameter takes, in words: "a number from 0 to 255, reflect or edge". */
export function expectation({ range, whole, choices = [] }: Parameter): string {
  const words = [...(range ? [`a ${whole ? 'whole ' : ''}number from ${range[0]} to ${range[1]}`] : []), ...choices];
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
