/** Long loops leave the event loop to others. Turns are counted, not milliseconds: they are the same on a busy machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { auditDataSet } from '../lib/data/audit.js';
import { writeCompact } from '../lib/data/compact.js';
import { loadDataSet } from '../lib/data/registry.js';
import { syntheticFaces } from '../lib/data/synthetic.js';
import { greyPicture } from '../lib/data/image.js';
import { atOnce, inSlices } from '../lib/slices.js';

const folder = mkdtempSync(path.join(tmpdir(), 'fer-slices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How often others had their turn while `work` ran, and the longest time between two turns as a share of all. */
async function turns(work: () => Promise<unknown>): Promise<{ count: number; longest: number }> {
  const started = performance.now();
  let [count, longest, last, done] = [0, 0, started, false];
  const turn = (): void => {
    const now = performance.now();
    [count, longest, last] = [count + 1, Math.max(longest, now - last), now];
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  done = true;
  const now = performance.now();
  return { count, longest: Math.max(longest, now - last) / (now - started) };
}

const busy = (milliseconds: number): void => {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
};

describe('slices', () => {
  it('rest, and give what the loop gives', async () => {
    function* loop(): Generator<void, string> {
      for (let i = 0; i < 100; i++, yield) busy(1);
      return 'done';
    }
    let result: unknown;
    const { count, longest } = await turns(async () => (result = await inSlices(loop())));
    expect(result).toBe('done');
    expect(count).toBeGreaterThan(8);
    expect(longest).toBeLessThan(0.5);
    expect(atOnce(loop())).toBe('done');
  });

  it('hand on what the loop throws', async () => {
    function* loop(): Generator<void> {
      throw new Error('inside');
    }
    await expect(inSlices(loop())).rejects.toThrow('inside');
  });

  const faces = syntheticFaces();
  const file = path.join(folder, 'faces.fer');
  it.each<[string, () => Promise<unknown>]>([
    ['drawing faces', () => loadDataSet(undefined)],
    ['writing .fer', () => writeCompact(file, faces, 'fast')],
    ['reading .fer', () => loadDataSet(file, { cache: false })],
    ['the audit', () => auditDataSet(faces)],
    ['checking pixels', () => greyPicture({ pixels: new Float32Array(4e6), width: 2000, height: 2000 })],
  ])('%s leaves the event loop to others', async (_, work) => {
    const { count, longest } = await turns(work);
    expect(count).toBeGreaterThan(3);
    expect(longest).toBeLessThan(0.6); // in one go it would be nearly all of it
  });
});
