/** Split folders that do not agree: one class under several names is one, and a class that cannot be learnt is an error. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditDataSet } from '../../lib/data/audit.js';
import { loadDataSet } from '../../lib/data/registry.js';

let folder: string;
let picture: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-splits-'));
  picture = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#777' } })
    .png()
    .toBuffer();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let roots = 0;
/** A folder with one picture in each of `places`, such as "train/happy". */
function tree(...places: string[]): string {
  const root = path.join(folder, String(roots++));
  for (const place of places) {
    mkdirSync(path.join(root, place), { recursive: true });
    writeFileSync(path.join(root, place, 'a.png'), picture);
  }
  return root;
}
const counts = async (root: string) => (await auditDataSet(await loadDataSet(root, { size: 8 }))).counts;

describe('split folders', () => {
  it('merges names that differ in case', async () => {
    expect(await counts(tree('train/Happy', 'train/Sad', 'test/happy', 'test/sad'))).toEqual({
      Training: { Happy: 1, Sad: 1 },
      Test: { Happy: 1, Sad: 1 },
    });
  });

  it("merges other data sets' names of FER2013's classes", async () => {
    expect(
      await counts(tree('train/angry', 'train/happy', 'validation/Anger', 'validation/Happiness', 'test/anger', 'test/happy')),
    ).toEqual({
      Training: { angry: 1, happy: 1 },
      PublicTest: { angry: 1, happy: 1 },
      PrivateTest: { angry: 1, happy: 1 },
    });
  });

  it('reads both folders of one class in one split', async () => {
    expect(await counts(tree('train/Fear', 'train/fearful', 'train/sad', 'test/fear', 'test/sad'))).toEqual({
      Training: { Fear: 2, sad: 1 },
      Test: { Fear: 1, sad: 1 },
    });
  });

  it('names both folders where only the test has a class', async () => {
    const root = tree('train/happy', 'train/sad', 'test/happy', 'test/smirk');
    await expect(loadDataSet(root)).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: `${path.join(root, 'test', 'smirk')} is a class that cannot be learnt: there is no ${path.join(root, 'train', 'smirk')}`,
    });
  });

  it('names both folders of one split', async () => {
    const root = tree('train/happy', 'train/sad', 'training/happy', 'training/sad');
    await expect(loadDataSet(root)).rejects.toThrow(`${path.join(root, 'train')} and ${path.join(root, 'training')} are the same split`);
  });

  it('lets the test lack a class', async () => {
    expect(await counts(tree('train/happy', 'train/sad', 'test/happy'))).toEqual({
      Training: { happy: 1, sad: 1 },
      Test: { happy: 1, sad: 0 },
    });
  });

  it('takes 256 classes and refuses 257: labels are bytes', async () => {
    const classes = (count: number): string[] => Array.from({ length: count }, (_, i) => `train/class ${i}`);
    const data = await loadDataSet(tree(...classes(256)), { size: 8 });
    expect(new Set(data.labels).size).toBe(256);
    const root = tree(...classes(257));
    await expect(loadDataSet(root, { size: 8 })).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: `${root} has 257 classes; expected at most 256`,
    });
  });

  it('refuses a folder of which no picture is readable, instead of counting none', async () => {
    const root = tree('train/happy', 'train/sad');
    for (const name of ['happy', 'sad']) writeFileSync(path.join(root, 'train', name, 'a.png'), 'no picture');
    await expect(loadDataSet(root, { skipBadRows: true })).rejects.toThrow(/2 classes and 2 pictures, none of them readable/);
  });

  it('keeps pixels and labels together where unreadable pictures are left out', async () => {
    const root = tree('train/a', 'train/b');
    for (const [name, file, grey] of [['a', 'c', 30], ['b', 'c', 200]] as const) // prettier-ignore
      writeFileSync(
        path.join(root, 'train', name, `${file}.png`),
        await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: grey, g: grey, b: grey } } })
          .png()
          .toBuffer(),
      );
    writeFileSync(path.join(root, 'train', 'a', 'b.png'), 'no picture');
    const data = await loadDataSet(root, { size: 8, skipBadRows: true });
    expect([...data.labels]).toEqual([0, 0, 1, 1]);
    expect([...data.images].filter((_, i) => i % 64 === 0)).toEqual([119, 30, 119, 200]);
    expect(data.images.length).toBe(4 * 64);
    expect(data.badRows).toHaveLength(1);
  });
});
