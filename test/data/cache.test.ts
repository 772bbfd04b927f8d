import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { cachePath, readCache, writeCache } from '../../lib/data/cache.js';
import type { LabelledImages } from '../../lib/data/data-set.js';

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

  it('counts a file that is cut short, foreign or absent as no cache', async () => {
    await writeCache(file, sets[0]);
    truncateSync(file, 60);
    expect(await readCache(file)).toBeUndefined();
    writeFileSync(file, 'FERPACK1 and no more');
    expect(await readCache(file)).toBeUndefined();
    expect(await readCache(path.join(folder, 'none'))).toBeUndefined();
  });
});
