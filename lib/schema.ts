/**
 * The one way in which files of JSON and YAML are checked: a schema says what is expected in words, `read` says where it was not so.
 * Only keys that a schema names are read. zod takes its time to load: import this file where such a file is read, not before.
 */
import * as z from 'zod/mini';
import { isObject } from './json.js';

/** A form that a value must have; `read` gives the value in it. */
export type Schema<T> = z.ZodMiniType<T>;

/** A number; both ends included. */
export function number(min = -Infinity, max = Infinity): Schema<number> {
  return z.number(`a number${range(min, max)}`).check(z.gte(min, `a number${range(min, max)}`), z.lte(max, `a number${range(min, max)}`));
}

/** A whole number that is exact in JSON; both ends included. */
export function whole(min = 0, max = Number.MAX_SAFE_INTEGER): Schema<number> {
  const expected = `a whole number${range(min, max === Number.MAX_SAFE_INTEGER ? Infinity : max)}`;
  return z.int(expected).check(z.gte(min, expected), z.lte(max, expected));
}

export const text = (expected = 'text'): Schema<string> => z.string(expected);
export const matching = (pattern: RegExp, expected: string): Schema<string> => z.string(expected).check(z.regex(pattern, expected));
export const yes = (): Schema<boolean> => z.boolean('true or false');
export const exactly = <const T extends string | number>(value: T): Schema<T> => z.literal(value, JSON.stringify(value));
export const oneOf = <const T extends string>(words: readonly T[]): Schema<T> =>
  z.enum(words as readonly [T, ...T[]], words.join(', ').replace(/, ([^,]*)$/, ' or $1')) as unknown as Schema<T>;
/** At least `least` of them. */
export const list = <T>(of: Schema<T>, least = 0, expected = 'a list'): Schema<T[]> =>
  z.array(of, expected).check(z.minLength(least, expected));
export const pair = (of: Schema<number>): Schema<[number, number]> => z.tuple([of, of], 'a pair of numbers');
/** A name and what belongs to it. */
export const entry = <T>(of: Schema<T>): Schema<[name: string, T]> => z.tuple([z.string('a name'), of], 'a pair of a name and its value') as unknown as Schema<[string, T]>; // prettier-ignore
export const maybe = <T>(of: Schema<T>): Schema<T | undefined> => z.optional(of);
/** Anything: what is not checked is not to be relied upon. */
export const anything = (): Schema<unknown> => z.unknown();

/** Any keys, all of one form. zod's own leaves out a key named `__proto__`, which may be a class. */
export const record = <T>(of: Schema<T>, expected = 'an object'): Schema<Record<string, T>> =>
  z.pipe(
    z.custom<Record<string, unknown>>(isObject, expected),
    z.transform((value, { issues }) =>
      Object.fromEntries(Object.entries(value).map(([key, part]): [string, T] => [key, within(of, part, [key], issues)])),
    ),
  ) as unknown as Schema<Record<string, T>>;

/** Of two forms the one that the value claims to have: `having` where it has the key. */
export const either = <A, B>(key: string, having: Schema<A>, other: Schema<B>): Schema<A | B> =>
  z.pipe(
    z.unknown(),
    z.transform((value, { issues }): A | B => within<A | B>(isObject(value) && Object.hasOwn(value, key) ? having : other, value, [], issues)), // prettier-ignore
  ) as unknown as Schema<A | B>;

/** A part in its form; what is wrong with it is told with the way to it. */
function within<T>(of: Schema<T>, part: unknown, way: readonly string[], issues: z.core.$ZodRawIssue[]): T {
  const result = z.safeParse(of, part);
  if (result.success) return result.data;
  for (const issue of result.error.issues) issues.push({ ...issue, input: part, path: [...way, ...issue.path] } as z.core.$ZodRawIssue);
  return z.NEVER;
}

type Shape<T> = { [K in keyof T]-?: Schema<T[K]> };

/** An object of these keys; others are not read. `rules` tell what its parts must be to one another. */
export function object<T extends object>(shape: Shape<T>, ...rules: Rule<T>[]): Schema<T> {
  const checked = z.object(shape as unknown as z.core.$ZodShape, 'an object') as unknown as z.ZodMiniType<T>;
  return rules.length === 0 ? checked : checked.check((context) => applyRules(context, rules));
}

/** What is wrong with a value whose parts are each well-formed: the place in it, and what was expected there. */
export type Rule<T> = (value: T) => Iterable<{ at: readonly PropertyKey[]; expected: string }>;

function applyRules<T>({ value, issues }: z.core.ParsePayload<T>, rules: readonly Rule<T>[]): void {
  for (const rule of rules)
    for (const { at, expected } of rule(value)) issues.push({ code: 'custom', message: expected, path: [...at], input: value });
}

/** A value that another function checks and brings into its form; what that throws is the message. */
export const by = <T>(check: (value: unknown) => T): Schema<T> =>
  z.pipe(
    z.unknown(),
    z.transform((value, { issues }) => {
      try {
        return check(value);
      } catch (error) {
        issues.push({ code: 'custom', message: (error as Error).message, input: value, params: { whole: true } });
        return z.NEVER;
      }
    }),
  ) as unknown as Schema<T>;

/**
 * `value` in the schema's form. `fail` is told the first thing that is wrong with it, such as "training.totals.step: expected a whole
 * number from 0, got -1000000", and throws. `place`: what the value is called, before the path in it.
 */
export function read<T>(schema: Schema<T>, value: unknown, place: string, fail: (reason: string) => never): T {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const [{ path, message, ...issue }] = result.error.issues;
  const at = path.reduce<string>((where, key) => (typeof key === 'number' ? `${where}[${key}]` : where ? `${where}.${String(key)}` : String(key)), place); // prettier-ignore
  const own = 'params' in issue && issue.params?.whole === true;
  return fail(`${at ? `${at}: ` : ''}${own ? message : `expected ${message}, got ${shown(partOf(value, path))}`}`);
}

function partOf(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, key) => (typeof part === 'object' && part !== null && Object.hasOwn(part, key) ? part[key as never] : undefined), value); // prettier-ignore
}

const LONGEST = 80;

/** A value as JSON has it, cut short. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const json = JSON.stringify(value);
  return json.length > LONGEST ? `${json.slice(0, LONGEST)}…` : json;
}

function range(min: number, max: number): string {
  if (min > -Infinity && max < Infinity) return ` from ${min} to ${max}`;
  if (min > -Infinity) return ` from ${min}`;
  return max < Infinity ? ` up to ${max}` : '';
}
