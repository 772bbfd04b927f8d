import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  by,
  either,
  exactly,
  list,
  matching,
  maybe,
  number,
  object,
  oneOf,
  pair,
  read,
  record,
  text,
  whole,
  yes,
  type Schema,
} from '../lib/schema.js';

const form = object<{ step: number; rows: { epoch: number }[]; name?: string; counts: Record<string, number> }>(
  { step: whole(), rows: list(object({ epoch: whole(1) })), name: maybe(text()), counts: record(whole()) },
  function* ({ step, rows }) {
    if (step > rows.length) yield { at: ['step'], expected: `at most ${rows.length}` };
  },
);
const sound = { step: 1, rows: [{ epoch: 1 }], counts: {} };
const complaint = (schema: Schema<unknown>, value: unknown, place = 'training'): string => {
  let told = '';
  try {
    read(schema, value, place, (reason) => {
      told = reason;
      throw new Error(reason);
    });
  } catch {
    // Told already.
  }
  return told;
};

describe('a schema', () => {
  it.each([
    [{ ...sound, step: -1e6 }, 'training.step: expected a whole number from 0, got -1000000'],
    [{ ...sound, step: 1.5 }, 'training.step: expected a whole number from 0, got 1.5'],
    [{ ...sound, step: 2 ** 53 }, 'training.step: expected a whole number from 0, got 9007199254740992'],
    [{ ...sound, step: null }, 'training.step: expected a whole number from 0, got null'],
    [{ ...sound, step: 2 }, 'training.step: expected at most 1, got 2'],
    [{ ...sound, rows: [{ epoch: 1 }, { epoch: '2' }] }, 'training.rows[1].epoch: expected a whole number from 1, got "2"'],
    [{ ...sound, rows: [null] }, 'training.rows[0]: expected an object, got null'],
    [{ ...sound, rows: {} }, 'training.rows: expected a list, got {}'],
    [{ ...sound, name: 3 }, 'training.name: expected text, got 3'],
    [{ ...sound, counts: { toString: 'x' } }, 'training.counts.toString: expected a whole number from 0, got "x"'],
    [{ ...sound, counts: JSON.parse('{"__proto__": -1}') as object }, 'training.counts.__proto__: expected a whole number from 0, got -1'],
    [{ ...sound, counts: [] }, 'training.counts: expected an object, got []'],
    [{ step: 1, rows: [] }, 'training.counts: expected an object, got nothing'],
    [[], 'training: expected an object, got []'],
    [null, 'training: expected an object, got null'],
    [undefined, 'training: expected an object, got nothing'],
  ])('names the place of what is wrong: %j', (value, message) => expect(complaint(form, value)).toBe(message));

  it.each([
    [number(0, 1), NaN, 'expected a number from 0 to 1, got NaN'],
    [number(), Infinity, 'expected a number, got Infinity'],
    [oneOf(['a', 'b', 'c']), 'constructor', 'expected a, b or c, got "constructor"'],
    [exactly(1), '1', 'expected 1, got "1"'],
    [matching(/^x$/, 'an x'), 'y', 'expected an x, got "y"'],
    [yes(), 0, 'expected true or false, got 0'],
    [pair(number()), [1], 'expected a pair of numbers, got [1]'],
    [either('a', object({ a: whole() }), object({ b: text() })), { a: 'x' }, 'a: expected a whole number from 0, got "x"'],
    [either('a', object({ a: whole() }), object({ b: text() })), { c: 'x' }, 'b: expected text, got nothing'],
    [text(), 'x'.repeat(3) && { long: 'x'.repeat(200) }, `expected text, got {"long":"${'x'.repeat(71)}…`],
    [by(() => { throw new Error('the words of another check'); }), 1, 'the words of another check'],
  ] as [Schema<unknown>, unknown, string][])('%# says what is expected', (schema, value, message) => expect(complaint(schema, value, '')).toBe(message)); // prettier-ignore

  it('reads the keys that it names alone, and any key of a record', () => {
    const counts = JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, number>;
    const value = read(form, { ...sound, counts, device: 'cuda', threads: 9 }, '', expect.unreachable);
    expect(Object.keys(value).sort()).toEqual(['counts', 'rows', 'step']);
    expect(Object.entries(value.counts)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });
});

/** What a file loads at once: not by `import()`, and no types. */
function loads(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const source = readFileSync(entry, 'utf8');
  for (const [, named, target] of source.matchAll(/^(?:import|export)\s+(?!type\b)(?:([^;]*?)\sfrom\s)?'([^']+)';/gm))
    if (!target.startsWith('.')) seen.add(target);
    else if (!/^\{(\s*type \w+,?)+\s*\}$/.test(named ?? '')) loads(path.join(path.dirname(entry), target.replace(/\.js$/, '.ts')), seen);
  return seen;
}

describe('zod', () => {
  it.each(['lib/index.ts', 'lib/cli/main.ts', 'lib/cli/predict.ts', 'lib/cli/train.ts', 'lib/cli/experiment.ts', 'lib/training/loop.ts'])(
    'is not loaded with %s',
    (entry) => expect([...loads(entry)]).not.toContain('zod/mini'),
  );

  it('is seen by this test where it is loaded', () => expect([...loads('lib/training/checkpoint.ts')]).toContain('zod/mini'));
});
