/**
 * The registry of perturbations: a new one is its own file, its import and its name in the list; natively a file and a line in
 * `native/perturb/registry.cc`.
 */
import { invalidArgument } from '../errors.js';
import { blur } from './blur.js';
import { brightnessShift } from './brightness-shift.js';
import { brightness } from './brightness.js';
import { contrast } from './contrast.js';
import type { Definition, Severity } from './definition.js';
import { gamma } from './gamma.js';
import { highlight } from './highlight.js';
import { jpeg } from './jpeg.js';
import { noise } from './noise.js';
import { occlusion } from './occlusion.js';
import { rotation } from './rotation.js';
import { scale } from './scale.js';
import { shadow } from './shadow.js';
import { translation } from './translation.js';

/** In the order in which help, reports and docs have them. */
const LIST = [
  rotation,
  translation,
  scale,
  brightness,
  brightnessShift,
  gamma,
  contrast,
  shadow,
  highlight,
  noise,
  blur,
  jpeg,
  occlusion,
] as const;

type ParametersOf<D> = D extends Definition<infer P> ? P : never;

/** One perturbation with its parameters, such as `{ type: 'rotation', degrees: 15 }`. */
export type Perturbation = ParametersOf<(typeof LIST)[number]>;
/** A perturbation by name, such as "rotation". */
export type PerturbationType = Perturbation['type'];

export const PERTURBATION_TYPES: readonly PerturbationType[] = LIST.map(({ type }) => type);

type Definitions = { readonly [T in PerturbationType]: Definition<Extract<Perturbation, { type: T }>> };

/** Every perturbation by its type: what it does, its parameters with ranges and defaults, its five severities and why these. */
export const PERTURBATIONS: Definitions = Object.fromEntries(
  LIST.map((definition) => [definition.type, definition]),
) as unknown as Definitions;

/** The definition of `type`, in a form that does not depend on which it is. */
export function definitionOf(type: PerturbationType): Definition<{ type: PerturbationType } & Record<string, number | string>> {
  if (!Object.hasOwn(PERTURBATIONS, type)) invalidArgument('type', PERTURBATION_TYPES.join(', '), type);
  return PERTURBATIONS[type] as unknown as ReturnType<typeof definitionOf>;
}

/** `type` at one of its five severities. */
export function atSeverity(type: PerturbationType, severity: Severity): Perturbation {
  const settings = definitionOf(type).severities[severity - 1];
  if (!settings) invalidArgument('severity', 'a whole number from 1 to 5', severity);
  return { type, ...settings } as unknown as Perturbation;
}
