/** What is asked about the pictures of a request: the same fields in a query, a form or JSON. */
import type { Box } from '../data/image.js';
import { EXPLANATION_METHODS, type ExplanationMethod } from '../explain/explain.js';
import { invalidArgument } from '../errors.js';
import type { Perturbation } from '../perturb/registry.js';
import { complete } from '../perturb/settings.js';
import { by, list, maybe, object, oneOf, read, text, whole, yes, type Schema } from '../schema.js';
import { suggestion } from '../suggestion.js';
import { RequestError } from './failure.js';

export interface Question {
  model?: string;
  /** The face's place in every picture. */
  box?: Box;
  flip?: boolean;
  /** Find the faces, and answer for each. */
  faces?: boolean;
  /** Done to what the network sees; `perturb` does them to the picture. */
  perturbations?: Perturbation[];
  seed?: number;
  method?: ExplanationMethod;
  class?: string;
  layer?: string;
  /** `perturb`: stretch to a square of this side first. `explain`: longer side of the drawn picture. */
  size?: number;
}

/** At most this many in a row: each takes its time. */
const MOST_PERTURBATIONS = 16;
const MOST_SIDE = 1024;

export const box: Schema<Box> = object<Box>({ left: whole(), top: whole(), width: whole(1), height: whole(1) });

const perturbation = by((value): Perturbation => complete(value as Perturbation));

const SCHEMA = object<Question>({
  model: maybe(text()),
  box: maybe(box),
  flip: maybe(yes()),
  faces: maybe(yes()),
  perturbations: maybe(list(perturbation)),
  seed: maybe(whole()),
  method: maybe(oneOf(EXPLANATION_METHODS)),
  class: maybe(text()),
  layer: maybe(text()),
  size: maybe(whole(8, MOST_SIDE)),
});

export const QUESTION_FIELDS = ['model', 'box', 'flip', 'faces', 'perturbations', 'seed', 'method', 'class', 'layer', 'size'];

const wrong = (reason: string): never => {
  throw new RequestError(400, 'ERR_FER_ARGUMENT', reason);
};

/** The fields of a query or a form are texts. */
function valueOf(name: string, given: unknown): unknown {
  if (typeof given !== 'string') return given;
  switch (name) {
    case 'flip':
    case 'faces':
      return given === 'true' || given === '1' || given === '' ? true : given === 'false' || given === '0' ? false : given;
    case 'seed':
    case 'size':
      return /^\d+$/.test(given) ? Number(given) : given;
    case 'box': {
      const [left, top, width, height, ...more] = given.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
      return more.length > 0 ? given : { left, top, width, height };
    }
    case 'perturbations':
      try {
        return JSON.parse(given);
      } catch {
        return wrong('perturbations: expected a list in JSON, such as [{"type":"rotation","degrees":15}]');
      }
    default:
      return given;
  }
}

/** Later fields go before earlier ones. @throws {RequestError} 400 */
export function questionOf(...sources: readonly Record<string, unknown>[]): Question {
  const values: Record<string, unknown> = {};
  for (const source of sources)
    for (const [name, given] of Object.entries(source)) {
      if (!QUESTION_FIELDS.includes(name))
        wrong(
          `expected ${QUESTION_FIELDS.join(', ')}, got ${JSON.stringify(name.slice(0, 80))} (did you mean ${suggestion(name.slice(0, 80), QUESTION_FIELDS)}?)`,
        );
      values[name] = valueOf(name, given);
    }
  // Most requests ask nothing beside their picture.
  if (Object.keys(values).length === 0) return {};
  const question = read(SCHEMA, values, '', wrong);
  const { perturbations = [] } = question;
  if (perturbations.length > MOST_PERTURBATIONS) invalidArgument('perturbations', `at most ${MOST_PERTURBATIONS}`, perturbations.length);
  return question;
}
