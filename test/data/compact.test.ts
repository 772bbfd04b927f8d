import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readCompact, writeCompact } from '../../lib/data/compact.js';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { loadDataSet } from '../../lib/data/registry.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';

const folder = mkdtempSync(path.join(tmpdir(), 'fer-compact-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'set.fer');

describe('the compact form', () => {
  it('gives the synthetic faces back, smaller, through the registry', async () => {
    const faces = syntheticFaces({ size: 24 });
    const bytes = await writeCompact(file, faces, 'fast');
    expect(bytes).toBe(readFileSync(file).length);
    expect(bytes).toBeLessThan(faces.images.length);
    const { images, labels, ...rest } = await loadDataSet(file);
    const { images: drawn, labels: given, ...expected } = faces;
    expect(rest).toEqual(expected);
    expect([Buffer.compare(images, drawn), Buffer.compare(labels, given)]).toEqual([0, 0]);
  });

  it('is without loss for any pixels', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat(255)),
        async (size, count, stream) => {
          const images = Uint8Array.from({ length: size * size * count }, () => stream.next().value as number);
          const data: LabelledImages = {
          name: 'any', source: 'test', synthetic: false, classes: ['a', 'b'], size, images, labels: new Uint8Array(count).fill(1),
          splits: new Map([['Training', Uint32Array.from({ length: count }, (_, i) => i)]]), notes: ['n'], badRows: [],
        }; // prettier-ignore
          await writeCompact(file, data, 'fast');
          const back = await readCompact(file);
          expect(back).toEqual(data);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells a damaged, shortened or foreign file', async () => {
    await writeCompact(file, syntheticFaces({ size: 16 }), 'fast');
    const good = readFileSync(file);
    const flipped = Buffer.from(good);
    flipped[20] ^= 1;
    for (const bytes of [flipped, good.subarray(0, good.length / 2), Buffer.from('emotion,pixels,Usage'), Buffer.alloc(0)]) {
      writeFileSync(file, bytes);
      await expect(readCompact(file)).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT', details: { file } });
    }
    await expect(readCompact(path.join(folder, 'none.fer'))).rejects.toMatchObject({ code: 'ERR_FER_DATA_NOT_FOUND' });
  });
});
