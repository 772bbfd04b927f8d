/** The registry of perturbations: adding one takes its own file and one entry here (and one in `native/perturb/registry.cc`). */
import { invalidArgument } from '../errors.js';
import { blur, type Blur } from './blur.js';
import { brightness, type Brightness } from './brightness.js';
import { brightnessShift, type BrightnessShift } from './brightness-shift.js';
import { contrast, type Contrast } from './contrast.js';
import { type Definition, type Parameter, type Severity } from './definition.js';
import { gamma, type Gamma } from './gamma.js';
import { highlight, type Highlight } from './highlight.js';
import { jpeg, type Jpeg } from './jpeg.js';
import { noise, type Noise } from './noise.js';
import { occlusion, type Occlusion } from './occlusion.js';
import { rotation, type Rotation } from './rotation.js';
import { scale, type Scale } from './scale.js';
import { shadow, type Shadow } from './shadow.js';
import { translation, type Translation } from './translation.js';

/** One perturbation with its parameters, such as `{ type: 'rotation', degrees: 15 }`. */
export type Perturbation =
  | Rotation
  | Translation
  | Scale
  | Brightness
  | BrightnessShift
  | Gamma
  | Contrast
  | Shadow
  | Highlight
  | Noise
  | Blur
  | Jpeg
  | Occlusion;
export type PerturbationType = Perturbation['type'];

/** Every perturbation by its type: what it does, its parameters with ranges and defaults, its five severities and why these. */
export const PERTURBATIONS: { readonly [T in PerturbationType]: Definition<Extract<Perturbation, { type: T }>> } = {
  rotation,
  translation,
  scale,
  brightness,
  'brightness-shift': brightnessShift,
  gamma,
  contrast,
  shadow,
  highlight,
  noise,
  blur,
  jpeg,
  occlusion,
};
export const PERTURBATION_TYPES = Object.keys(PERTURBATIONS) as PerturbationType[];

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
