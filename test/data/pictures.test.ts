import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditDataSet } from '../../lib/data/audit.js';
import { decodeImage } from '../../lib/data/image.js';
import { resizeBilinear } from '../../lib/data/bilinear.js';
import { loadDataSet } from '../../lib/data/registry.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-pictures-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain = (width: number, height: number, colour: string): Sharp =>
  sharp({ create: { width, height, channels: 3, background: colour } });

async function classFolders(root: string, splits: string[], classes: string[]): Promise<void> {
  for (const split of splits)
    for (const [i, name] of classes.entries()) {
      mkdirSync(path.join(root, split, name), { recursive: true });
      await plain(20 + i, 30, i % 2 ? '#ffffff' : '#000000')
        .png()
        .toFile(path.join(root, split, name, 'a.png'));
      await plain(50, 50, '#808080')
        .jpeg()
        .toFile(path.join(root, split, name, 'b.jpg'));
    }
}

describe('image folders', () => {
  it("orders FER2013's classes its way and names a merged test split", async () => {
    const root = path.join(folder, 'merged');
    await classFolders(root, ['train', 'test'], ['happy', 'angry', 'neutral']);
    const data = await loadDataSet(root);
    expect(data.classes).toEqual(['angry', 'happy', 'neutral']);
    expect([...data.splits.keys()]).toEqual(['Training', 'Test']);
    expect(data.notes.join()).toContain('compare with neither');
    expect(data.labels.length).toBe(12);
    expect(data.size).toBe(48);
  });

  it('takes any class names, three splits and another size', async () => {
    const root = path.join(folder, 'three');
    await classFolders(root, ['Train', 'validation', 'test'], ['yes', 'no']);
    const data = await loadDataSet(root, { size: 16 });
    expect(data.classes).toEqual(['no', 'yes']);
    expect([...data.splits.keys()]).toEqual(['Training', 'PublicTest', 'PrivateTest']);
    expect(data.images.length).toBe(12 * 256);
  });

  it('names the picture that cannot be read, or skips it', async () => {
    const root = path.join(folder, 'broken');
    await classFolders(root, ['train', 'test'], ['x', 'y']);
    const file = path.join(root, 'train', 'x', 'broken.png');
    writeFileSync(file, 'not a picture');
    await expect(loadDataSet(root)).rejects.toMatchObject({
      code: 'ERR_FER_IMAGE_FORMAT',
      message: expect.stringContaining(file) as string,
    });
    expect((await loadDataSet(root, { skipBadRows: true })).badRows).toHaveLength(1);
  });

  it('refuses a folder without classes', async () => {
    const root = path.join(folder, 'empty');
    mkdirSync(path.join(root, 'train'), { recursive: true });
    await expect(loadDataSet(root)).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
  });
});

describe('decodeImage', () => {
  it('turns colour to grey and cuts out a box', async () => {
    const half = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#000' } })
      .composite([{ input: await plain(20, 20, '#fff').png().toBuffer(), left: 20, top: 0 }])
      .png()
      .toBuffer();
    const right = await decodeImage(half, { size: 8, box: { left: 20, top: 0, width: 20, height: 20 } });
    expect(Math.min(...right)).toBe(255);
    const whole = await decodeImage(half, { size: 8 });
    expect([whole[0], whole[7]]).toEqual([0, 255]);
  });

  it('refuses a box outside the picture and what is no picture', async () => {
    const picture = await plain(10, 10, '#fff').png().toBuffer();
    await expect(decodeImage(picture, { size: 8, box: { left: 5, top: 0, width: 6, height: 5 } })).rejects.toThrow(
      /a box inside the 10x10 picture/,
    );
    await expect(decodeImage(Buffer.from('x'), { size: 8 })).rejects.toMatchObject({ code: 'ERR_FER_IMAGE_FORMAT' });
    await expect(decodeImage(path.join(folder, 'absent.png'), { size: 8 })).rejects.toMatchObject({ code: 'ERR_FER_DATA_NOT_FOUND' });
  });
});

describe('resizeBilinear', () => {
  it('samples at half-pixel centres', () => {
    // By hand: 2 -> 4 samples at -0.25, 0.25, 0.75, 1.25.
    expect([...resizeBilinear(Uint8Array.of(0, 100, 0, 100), 1, 2, 4).subarray(0, 4)]).toEqual([0, 25, 75, 100]);
    expect([...resizeBilinear(Uint8Array.of(10, 20, 30, 40), 1, 2, 1)]).toEqual([25]);
  });
});

describe('synthetic faces', () => {
  it('are the same for a seed, differ between seeds, and hold every class equally', async () => {
    const faces = syntheticFaces({ seed: 3 });
    expect(Buffer.from(syntheticFaces({ seed: 3 }).images).equals(Buffer.from(faces.images))).toBe(true);
    expect(Buffer.from(syntheticFaces({ seed: 4 }).images).equals(Buffer.from(faces.images))).toBe(false);
    expect(faces.splits.get('Training')).toHaveLength(2800);
    const audit = await auditDataSet(faces);
    expect(new Set(Object.values(audit.counts.PrivateTest))).toEqual(new Set([50]));
    expect(audit.blank).toEqual([]);
    expect(audit.exactDuplicates.images).toBe(0);
  });
});

describe('auditDataSet', () => {
  it('finds blanks, exact copies with other labels, and near copies across splits', async () => {
    const faces = syntheticFaces();
    const pixels = faces.size * faces.size;
    const [train, test] = [faces.splits.get('Training'), faces.splits.get('PrivateTest')].map((rows) => rows as Uint32Array);
    const image = (row: number): Uint8Array => faces.images.subarray(row * pixels, (row + 1) * pixels);
    image(train[0]).fill(9);
    image(test[1]).set(image(train[1]));
    faces.labels[test[1]] = (faces.labels[train[1]] + 1) % 7;
    image(test[2]).set(image(train[2]).map((v) => Math.min(255, v + 2)));
    const audit = await auditDataSet(faces);
    expect(audit.blank).toEqual([train[0]]);
    expect(audit.exactDuplicates).toMatchObject({
      images: 2,
      groups: 1,
      conflictingLabels: 1,
      acrossSplits: { 'PrivateTest / Training': 1 },
    });
    expect(audit.nearDuplicates.acrossSplits['PrivateTest / Training']).toBeGreaterThanOrEqual(1);
    expect(audit.nearDuplicates.examples).toContainEqual(expect.arrayContaining([train[2], test[2]]) as number[]);
  });
});
