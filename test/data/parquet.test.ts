/** The Parquet reader on files that pyarrow wrote (scripts/fixtures/parquet.py); row r is a plane of grey r * 20 with label r. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataSet } from '../../lib/data/registry.js';

const fixtures = path.resolve('test/fixtures/parquet');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const load = (name: string, options = {}) => loadDataSet(path.join(fixtures, name), { cache: false, ...options });
const planes = (images: Uint8Array, size: number): number[][] =>
  Array.from({ length: images.length / size ** 2 }, (_, i) => [...new Set(images.subarray(i * size ** 2, (i + 1) * size ** 2))]);
const ramp = [0, 1, 2, 3, 4, 5, 6].map((row) => [row * 20]);

describe('Parquet', () => {
  it.each(['bytes.parquet', 'lists.parquet', 'rows.parquet', 'text.parquet'])('reads pictures and labels of %s', async (name) => {
    const data = await load(name);
    expect(data.size).toBe(48);
    expect(planes(data.images, 48)).toEqual(ramp);
    expect([...data.labels]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("reads the hubs' folder of one file a split", async () => {
    const data = await load('hub');
    expect([...data.splits.keys()].sort()).toEqual(['PublicTest', 'Test', 'Training']);
    expect([...data.splits.values()].map((rows) => rows.length)).toEqual([7, 7, 7]);
    expect(planes(data.images, 48)).toEqual([...ramp, ...ramp, ...ramp]);
    expect([...data.labels]).toEqual([0, 1, 2].flatMap(() => [0, 1, 2, 3, 4, 5, 6]));
  });

  it("takes numbers by the file's own ClassLabel, not by FER2013's order", async () => {
    const data = await load('class-label.parquet');
    expect(data.classes).toEqual(['anger', 'happiness', 'sadness']);
    expect([...data.labels].map((label) => data.classes[label])).toEqual(['happiness', 'sadness', 'anger', 'happiness', 'sadness', 'anger']); // prettier-ignore
  });

  it('takes classes by name', async () => {
    const data = await load('names.parquet');
    expect(data.classes).toEqual(['Happy', 'sad']);
    expect([...data.labels]).toEqual([0, 1, 0]);
  });

  it('takes numbers in the order that the user says', async () => {
    const data = await load('bytes.parquet', { classes: 'affectnet' });
    expect(data.classes).toHaveLength(8);
    expect([...data.labels].map((label) => data.classes[label])).toEqual(['neutral', 'happy', 'sad', 'surprise', 'fear', 'disgust', 'angry']); // prettier-ignore
  });

  it("takes a row's own Usage over the file's name", async () => {
    const data = await load('lists.parquet');
    expect([...data.splits].map(([name, rows]) => [name, [...rows]])).toEqual([
      ['Training', [0, 1, 2, 3, 4]],
      ['PublicTest', [5]],
      ['PrivateTest', [6]],
    ]);
  });

  it.each(['bytes.parquet', 'lists.parquet'])('brings %s to another size', async (name) => {
    const data = await load(name, { size: 32 });
    expect(planes(data.images, 32)).toEqual(ramp);
  });

  it('names file, row and reason of a bad row, or skips and lists it', async () => {
    await expect(load('bad.parquet')).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringMatching(/bad\.parquet, row 2: expected a square number of grey values, got 2303$/) as string,
    });
    const data = await load('bad.parquet', { skipBadRows: true });
    expect([...data.labels]).toEqual([0]);
    expect(data.badRows).toEqual([
      { line: 2, reason: 'expected a square number of grey values, got 2303' },
      { line: 3, reason: 'expected grey values of 0 to 255, got 256 at 2304' },
      { line: 4, reason: 'expected a label of 0 to 6, got 7' },
      { line: 5, reason: 'expected a Usage of Training, PublicTest, PrivateTest, got Trainig' },
    ]);
    expect(data.notes).toContain('4 malformed rows were skipped');
  });

  it('refuses other columns, cut-off files and what is no Parquet', async () => {
    await expect(load('other.parquet')).rejects.toThrow(/other\.parquet, row 1: expected the image as bytes or grey values/);
    const cut = path.join(folder, 'cut.parquet');
    writeFileSync(cut, readFileSync(path.join(fixtures, 'bytes.parquet')).subarray(0, 700));
    await expect(loadDataSet(cut)).rejects.toThrow(/cut\.parquet: not a readable Parquet file/);
    writeFileSync(cut, 'no parquet at all');
    await expect(loadDataSet(cut)).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
  });

  it('tells the splits by file name', async () => {
    for (const [file, split] of [
      ['fer_private_test.parquet', 'PrivateTest'],
      ['public-test.parquet', 'PublicTest'],
      ['validation.parquet', 'PublicTest'],
      ['test.parquet', 'Test'],
      ['train.parquet', 'Training'],
    ]) {
      mkdirSync(path.join(folder, split), { recursive: true });
      copyFileSync(path.join(fixtures, 'bytes.parquet'), path.join(folder, split, file));
      expect([...(await loadDataSet(path.join(folder, split, file), { cache: false })).splits.keys()]).toEqual([split]);
    }
  });
});
