import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { cachePath, readCache, writeCache } from '../../lib/data/cache.js';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { packedParts, unpack } from '../../lib/data/packed.js';
import { loadDataSet } from '../../lib/data/registry.js';

const folder = mkdtempSync(path.join(tmpdir(), 'fer-cache-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'set.pack');

/** Sizes that leave the rows on any of the four byte offsets. */
const sets = [4, 5, 6, 7].map(
  (count): LabelledImages => ({
    name: 'any', source: 'test', synthetic: false, classes: ['a', 'b'], size: 3,
    images: Uint8Array.from({ length: 9 * count }, (_, i) => i), labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
    splits: new Map([['Training', Uint32Array.from({ length: count - 1 }, (_, i) => i)], ['PublicTest', Uint32Array.of(count - 1)]]),
    notes: [], badRows: [],
  }), // prettier-ignore
);

describe('the packed cache', () => {
  it.each(sets)('gives back what was put in, for $labels.length images', async (data) => {
    await writeCache(file, data);
    const back = await readCache(file);
    expect(back).toEqual(data);
  });

  it('lies in FER_CACHE_DIR, or else in the user cache folder', async () => {
    vi.stubEnv('FER_CACHE_DIR', path.join(folder, 'own'));
    vi.stubEnv('XDG_CACHE_HOME', path.join(folder, 'user'));
    const source = path.join(folder, 'source.csv');
    writeFileSync(source, '');
    const name = path.basename((await cachePath(source, {}))!);
    expect(await cachePath(source, {})).toBe(path.join(folder, 'own', name));
    vi.stubEnv('FER_CACHE_DIR', '');
    expect(await cachePath(source, {})).toBe(path.join(folder, 'user', 'fer-cudnn', name));
    vi.unstubAllEnvs();
  });

  it('counts a file with any byte changed as no cache', async () => {
    await writeCache(file, sets[1]);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 1 << at % 8;
      writeFileSync(file, changed);
      expect(await readCache(file), `byte ${at}`).toBeUndefined();
    }
  });

  it('makes a damaged copy anew', async () => {
    vi.stubEnv('FER_CACHE_DIR', path.join(folder, 'anew'));
    const source = path.join(folder, 'set.csv');
    const row = (label: number, usage: string): string => `${label},${new Array(64).fill(label * 9).join(' ')},${usage}`;
    writeFileSync(source, ['emotion,pixels,Usage', row(3, 'Training'), row(5, 'PrivateTest')].join('\n'));
    const first = await loadDataSet(source);
    const copy = (await cachePath(source, { size: 48 }))!;
    const whole = readFileSync(copy);
    const changed = Buffer.from(whole);
    changed[whole.length - 70] ^= 4; // a pixel: other counts and other pictures came of it
    writeFileSync(copy, changed);
    expect(await loadDataSet(source)).toEqual(first);
    expect(readFileSync(copy)).toEqual(whole);
    vi.unstubAllEnvs();
  });

  it('counts a file that is cut short, foreign or absent as no cache', async () => {
    await writeCache(file, sets[0]);
    truncateSync(file, 60);
    expect(await readCache(file)).toBeUndefined();
    writeFileSync(file, 'FERPACK1 and no more');
    expect(await readCache(file)).toBeUndefined();
    expect(await readCache(path.join(folder, 'none'))).toBeUndefined();
  });
});

describe('the packed bytes', () => {
  /** Those of a data set whose facts are changed: the lengths stay those of four images. */
  const packed = (changes: Record<string, unknown>): Buffer => {
    const [magic, , header, ...rest] = packedParts(sets[0]);
    const json = Buffer.from(JSON.stringify({ ...(JSON.parse(Buffer.from(header).toString()) as object), ...changes }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return Buffer.concat([magic, length, json, ...rest]);
  };

  it('come back', async () => {
    expect(await unpack(packed({}))).toEqual(sets[0]);
  });

  it.each([
    ['a class fewer', { classes: ['a'] }, /a label is none of its 1 classes/],
    ['a class twice', { classes: ['a', 'a'] }, 'header.classes: expected different names'],
    ['257 classes', { classes: Array.from({ length: 257 }, (_, i) => `${i}`) }, 'header.classes: expected at most 256 names'],
    ['half a pixel', { size: 1.5 }, 'header.size: expected a whole number from 1 to 4096, got 1.5'],
    ['no pixel', { size: 0 }, /header\.size/],
    ['a negative count', { count: -4 }, 'header.count: expected a whole number from 0, got -4'],
    ['another count', { count: 5 }, /has \d+ bytes where its header says \d+/],
    ['a count beyond numbers', { count: 2 ** 52 }, /its header declares \d+ bytes/],
    ['splits that are none', { splits: { Training: 3 } }, 'header.splits: expected a list'],
    ['a split twice', { splits: [['Training', 3], ['Training', 1]] }, 'header.splits: expected different names'], // prettier-ignore
    ['a negative split', { splits: [['Training', 5], ['PublicTest', -1]] }, 'header.splits[1][1]: expected a whole number from 0, got -1'], // prettier-ignore
    ['notes that are none', { notes: 'n' }, 'header.notes: expected a list'],
    [
      'malformed rows that are none',
      { badRows: [{ line: 'one', reason: 'x' }] },
      'header.badRows[0].line: expected a whole number from 0, got "one"',
    ],
    ['no name', { name: null }, 'header.name: expected text, got null'],
  ])('are refused with %s', async (_, changes, reason) => {
    await expect(unpack(packed(changes))).rejects.toThrow(reason);
  });

  it('are refused with a row beyond the images', async () => {
    const bytes = packed({});
    bytes.writeUInt32LE(4, bytes.length - 4);
    await expect(unpack(bytes)).rejects.toThrow(/a split has a row beyond its 4/);
  });
});
