/** The forms in which other data sets come: small samples made here, what is read of each, and what a malformed one gets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bzip2, tarGz, xz, zip } from '../archives.js';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditDataSet } from '../../lib/data/audit.js';
import type { LabelledImages } from '../../lib/data/data-set.js';
import type { LoadOptions } from '../../lib/data/form.js';
import { loadDataSet } from '../../lib/data/registry.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-forms-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let roots = 0;
const newRoot = (): string => path.join(folder, String(roots++));
function put(root: string, place: string, content: string | Uint8Array): string {
  const file = path.join(root, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}
/** A picture of one grey. */
const picture = (grey = 100): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: grey, g: grey, b: grey } } })
    .png()
    .toBuffer();
const load = (root: string, options: LoadOptions = {}): Promise<LabelledImages> => loadDataSet(root, { size: 8, cache: false, ...options });
const counts = async (data: LabelledImages) => (await auditDataSet(data)).counts;
/** "happy" of every image's grey. */
const classOfGrey = ({ images, labels, classes }: LabelledImages): Record<number, string> =>
  Object.fromEntries([...labels].map((label, row) => [images[row * 64], classes[label]]));

describe('CK+48: class folders without splits', () => {
  async function ck(subjects = 12, each = 3): Promise<string> {
    const root = newRoot();
    for (const [c, name] of ['anger', 'contempt', 'happy'].entries())
      for (let s = 0; s < subjects; s++)
        for (let i = 0; i < each; i++)
          put(root, `${name}/S${String(s).padStart(3, '0')}_00${c}_0000000${i}.png`, await picture(c * 80 + s));
    return root;
  }

  it('is all to learn from, and says how to divide it', async () => {
    const data = await load(await ck(2));
    expect(await counts(data)).toEqual({ Training: { anger: 6, contempt: 6, happy: 6 } });
    expect(data.classes).toEqual(['anger', 'happy', 'contempt']);
    expect(data.notes).toContain('all of it is Training: --split-by subject or random divides it');
  });

  it('is divided by image, each class alike, the same for the same seed', async () => {
    const root = await ck();
    const data = await load(root, { splitBy: 'random', splitSeed: 3 });
    expect(await counts(data)).toEqual({
      Training: { anger: 28, happy: 28, contempt: 28 },
      PublicTest: { anger: 4, happy: 4, contempt: 4 },
      PrivateTest: { anger: 4, happy: 4, contempt: 4 },
    });
    expect((await load(root, { splitBy: 'random', splitSeed: 3 })).splits).toEqual(data.splits);
    expect((await load(root, { splitBy: 'random' })).splits).not.toEqual(data.splits);
    expect(data.reading).toEqual({ splitBy: 'random', splitSeed: 3 });
  });

  it('is divided by subject, whose images stay together', async () => {
    const data = await load(await ck(), { splitBy: 'subject' });
    const subjects = [...data.splits.values()].map((rows) => new Set([...rows].map((row) => data.images[row * 64] % 80)));
    expect(subjects.map(({ size }) => size)).toEqual([10, 1, 1]);
    expect(new Set(subjects.flatMap((set) => [...set])).size).toBe(12);
    expect(data.notes).toContain('divided by subject (seed 0): 12 subjects, each in one split');
  });

  it('cannot be divided by subjects that are not there, nor where there are too few, nor what has splits', async () => {
    const root = newRoot();
    for (const name of ['a', 'b']) put(root, `${name}/x.png`, await picture());
    await expect(load(root, { splitBy: 'subject' })).rejects.toThrow('cannot be divided by subject: its files do not say who is on them');
    await expect(load(root, { splitBy: 'random' })).rejects.toThrow('cannot be divided by image: 2 images are too few for three splits');
    await expect(load(await ck(2), { splitBy: 'subject' })).rejects.toThrow('2 subjects are too few for three splits');
    await expect(loadDataSet(undefined, { size: 8, splitBy: 'random' })).rejects.toThrow('it has splits of its own, Training, PublicTest, PrivateTest; leave out --split-by'); // prettier-ignore
  });
});

const pixels = (grey: number): string => new Array(64).fill(grey).join(' ');

describe("Kaggle's and FER2013's files", () => {
  it('train.csv without Usage is all to learn from, or divided', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i % 2},"${pixels(i)}"`);
    const file = put(newRoot(), 'train.csv', ['emotion,pixels', ...lines].join('\n'));
    expect((await load(file)).splits).toEqual(new Map([['Training', Uint32Array.from({ length: 40 }, (_, i) => i)]]));
    expect((await load(file)).notes).toEqual(['all of it is Training: --split-by random divides it']);
    const { splits } = await load(file, { splitBy: 'random' });
    expect([...splits].map(([name, rows]) => [name, rows.length])).toEqual([['Training', 32], ['PublicTest', 4], ['PrivateTest', 4]]); // prettier-ignore
  });

  const csv = `emotion,pixels,Usage\n3,${pixels(7)},Training\n4,${pixels(8)},PrivateTest\n`;
  it.each([
    ['a CSV without extension', 'fer2013', csv],
    ['a gzipped one', 'download', gzipSync(csv)],
    ['one that is called .txt', 'fer.txt', csv],
  ])('%s is read', async (_, name, content) => {
    const data = await load(put(newRoot(), name, content));
    expect([...data.splits].map(([split, rows]) => [split, data.classes[data.labels[rows[0]]]])).toEqual([['Training', 'happy'], ['PrivateTest', 'sad']]); // prettier-ignore
  });

  it("takes a CSV's numbers in the order that the user says", async () => {
    const file = put(newRoot(), 'other.csv', csv);
    expect(classOfGrey(await load(file, { classes: 'affectnet' }))).toEqual({ 7: 'surprise', 8: 'fear' });
    expect(classOfGrey(await load(file, { classes: 'fer2013' }))).toEqual({ 7: 'happy', 8: 'sad' });
    await expect(load(file, { classes: 'rafdb' })).rejects.toThrow(
      'expected an order from 0, as a CSV\'s numbers are, got "rafdb", for classes',
    );
  });

  it.each([
    ['fer2013.tar.gz', tarGz, 'its content is a tar archive: unpack it (tar xf) and name the file or folder inside'],
    ['fer2013.zip', zip, 'is a ZIP archive: unpack it (unzip) and name the file or folder inside'],
    ['fer2013.csv.bz2', bzip2, 'is bzip2: decompress it first (bunzip2); of compressed files only .csv.gz is read'],
    ['fer2013.csv.xz', xz, 'is xz: decompress it first (unxz); of compressed files only .csv.gz is read'],
  ])('%s is told what to do', async (name, bytes, advice) => {
    await expect(load(put(newRoot(), name, bytes))).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringContaining(advice) as string,
    });
  });
});

describe('FER+', () => {
  const HEADER = 'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF';
  const VOTES = [
    'Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0', // 4 of 9 sure votes: no majority
    'Training,fer0000001.png,6,0,0,1,1,0,0,0,2,0', // neutral
    'PublicTest,fer0000002.png,0,10,0,0,0,0,0,0,0,0', // happy
    'PublicTest,,0,0,0,0,0,0,0,0,0,10', // no face
    'PrivateTest,fer0000004.png,0,0,0,0,0,0,0,0,8,2', // unknown
    'PrivateTest,fer0000005.png,0,0,0,0,0,0,0,6,0,4', // contempt
    'Training,fer0000006.png,0,0,1,0,6,3,0,0,0,0', // angry
  ];
  function ferPlus(votes = VOTES): { root: string; file: string } {
    const root = newRoot();
    const usages = VOTES.map((line) => line.split(',')[0]);
    put(root, 'fer2013.csv', ['emotion,pixels,Usage', ...usages.map((usage, i) => `0,${pixels(i)},${usage}`)].join('\n'));
    return { root, file: put(root, 'fer2013new.csv', [HEADER, ...votes].join('\r\n')) };
  }

  it.each(['root', 'file'] as const)('is read by its %s: the majority is the class, and what has none is counted', async (which) => {
    const data = await load(ferPlus()[which]);
    expect(classOfGrey(data)).toEqual({ 1: 'neutral', 2: 'happy', 5: 'contempt', 6: 'angry' });
    expect(data.classes).toEqual(['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral', 'contempt']);
    expect([...data.splits].map(([name, rows]) => [name, [...rows]])).toEqual([['Training', [0, 3]], ['PublicTest', [1]], ['PrivateTest', [2]]]); // prettier-ignore
    expect(data.notes).toEqual([
      'classes by the majority of the votes: 4 of 7 images; left out: 1 no face, 1 unknown or no face by most votes, 1 no majority',
    ]);
    expect(data.votes).toBeUndefined();
  });

  it('gives all votes where they are asked for, single ones taken for slips', async () => {
    const data = await load(ferPlus().root, { votes: 'soft' });
    expect(classOfGrey(data)).toEqual({ 0: 'neutral', 1: 'neutral', 2: 'happy', 5: 'contempt', 6: 'angry' });
    const of = (row: number): number[] => [...data.votes!.subarray(row * 8, row * 8 + 8)];
    expect(of(0)).toEqual([3, 2, 0, 0, 0, 0, 4, 0]);
    expect(of(1)).toEqual([0, 0, 0, 0, 0, 0, 6, 0]);
    expect(of(4)).toEqual([6, 3, 0, 0, 0, 0, 0, 0]);
    expect(data.reading).toEqual({ votes: 'soft' });
  });

  it.each([
    ['other rows', VOTES.slice(1), 'do not belong together: 6 rows of votes and 7 images'],
    ['another order', [...VOTES].reverse(), 'do not belong together: 7 rows of votes and 7 images, and row 2 is in another split'],
    [
      'a vote that is no number',
      [VOTES[0].replace('4', 'four'), ...VOTES.slice(1)],
      'fer2013new.csv, line 2: expected 10 whole numbers of votes',
    ],
    [
      'a Usage that is none',
      [VOTES[0].replace('Training', 'Train'), ...VOTES.slice(1)],
      'line 2: expected Usage Training, PublicTest or PrivateTest, got "Train"',
    ],
  ])('refuses %s', async (_, votes, reason) => {
    await expect(load(ferPlus(votes).root)).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringContaining(reason) as string,
    });
  });
});

describe('RAF-DB', () => {
  async function rafDb(list: string, faces = 'Image/aligned'): Promise<string> {
    const root = newRoot();
    put(root, 'EmoLabel/list_patition_label.txt', list);
    for (const [i, name] of ['train_00001', 'train_00002', 'test_0001'].entries())
      put(root, `${faces}/${name}_aligned.jpg`, await sharp(await picture(50 * (i + 1))).jpeg({ quality: 100 }).toBuffer()); // prettier-ignore
    return root;
  }

  it.each(['Image/aligned', 'aligned'])('is read by its list, with faces in %s', async (faces) => {
    const data = await load(await rafDb('train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 7\n', faces));
    expect(classOfGrey(data)).toEqual({ 50: 'sad', 100: 'surprise', 150: 'neutral' });
    expect([...data.splits].map(([name, rows]) => [name, rows.length])).toEqual([['Training', 2], ['Test', 1]]); // prettier-ignore
  });

  it('is read as folders 1 to 7', async () => {
    const root = newRoot();
    for (let c = 1; c <= 7; c++) for (const split of ['train', 'test']) put(root, `DATASET/${split}/${c}/a.png`, await picture(10 * c));
    const data = await load(path.join(root, 'DATASET'));
    expect(classOfGrey(data)).toEqual({ 10: 'surprise', 20: 'fear', 30: 'disgust', 40: 'happy', 50: 'sad', 60: 'angry', 70: 'neutral' });
    expect(data.notes.join()).toContain("the classes' numbers are taken as rafdb's: 1 surprise, 2 fear");
  });

  it.each([
    [
      'a line that is none',
      'train_00001.jpg five\n',
      'line 1: expected a name and a number, such as "train_00001.jpg 5", got "train_00001.jpg five"',
    ],
    ['a label that is none', 'train_00001.jpg 5\ntrain_00002.jpg 8\n', 'line 2: expected a label of 1 to 7, got 8'],
    ['a face that is not there', 'train_00009.jpg 5\n', 'line 1: there is no train_00009_aligned.jpg in'],
  ])('names list and line of %s', async (_, list, reason) => {
    await expect(load(await rafDb(list))).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringContaining(reason) as string,
    });
  });

  it('says where its faces should be', async () => {
    const root = newRoot();
    put(root, 'EmoLabel/list_patition_label.txt', 'train_00001.jpg 5\n');
    await expect(load(root)).rejects.toThrow(
      /expected RAF-DB's faces in .*Image\/aligned or .*aligned, found neither; unpack aligned\.zip there/,
    );
  });
});

describe('AffectNet', () => {
  /** A NumPy file of one text or number. */
  function npy(type: string, body: Buffer): Buffer {
    const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (), }`.padEnd(117) + '\n';
    const length = Buffer.alloc(2);
    length.writeUInt16LE(header.length);
    return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), body]);
  }
  const text = (value: string): Buffer => npy('<U1', Buffer.from(value.padEnd(2, '\0'), 'utf16le').subarray(0, 4));

  it('is read by its annotations; what is no expression is counted', async () => {
    const root = newRoot();
    const labels = [text('0'), text('7'), npy('<i8', Buffer.from([6, 0, 0, 0, 0, 0, 0, 0])), npy('|S1', Buffer.from('1')), text('9')];
    for (const [i, label] of labels.entries()) {
      const set = i === 3 ? 'val_set' : 'train_set';
      put(root, `${set}/images/${i}.jpg`, await picture(20 * i));
      put(root, `${set}/annotations/${i}_exp.npy`, label);
    }
    put(root, 'train_set/images/77.jpg', await picture());
    const data = await load(root);
    expect(classOfGrey(data)).toEqual({ 0: 'neutral', 20: 'contempt', 40: 'angry', 60: 'happy' });
    expect([...data.splits].map(([name, rows]) => [name, rows.length])).toEqual([['Training', 3], ['PublicTest', 1]]); // prettier-ignore
    expect(data.notes.slice(0, 2)).toEqual([
      '1 pictures of no expression (8 none, 9 uncertain, 10 no face) were left out',
      '1 pictures without an annotation were left out',
    ]);
    put(root, 'train_set/annotations/77_exp.npy', npy('<f8', Buffer.alloc(8)));
    await expect(load(root)).rejects.toThrow(/77_exp\.npy: expected one number or text/);
  });

  it('is read as folders 0 to 7, and in another order where the user says so', async () => {
    const root = newRoot();
    for (let c = 0; c <= 7; c++) for (const split of ['train', 'val']) put(root, `${split}/${c}/a.png`, await picture(10 * c));
    expect(classOfGrey(await load(root))).toMatchObject({ 0: 'neutral', 10: 'happy', 60: 'angry', 70: 'contempt' });
    expect(classOfGrey(await load(root, { classes: 'ckplus' }))).toMatchObject({
      0: 'neutral',
      10: 'angry',
      20: 'contempt',
      70: 'surprise',
    });
  });
});

describe('SFEW', () => {
  it('is read from Train and Val; its test has no labels, and is counted', async () => {
    const root = newRoot();
    for (const split of ['Train', 'Val'])
      for (const name of ['Angry', 'Happy', 'Surprise']) put(root, `${split}/${name}/a.png`, await picture());
    put(root, 'Test/b.png', await picture());
    const data = await load(root);
    expect(await counts(data)).toEqual({ Training: { Angry: 1, Happy: 1, Surprise: 1 }, PublicTest: { Angry: 1, Happy: 1, Surprise: 1 } });
    expect(data.notes).toEqual(['1 pictures in no class folder were left out']);
  });
});

describe('a map of classes', () => {
  it('renames and leaves out what a folder has', async () => {
    const root = newRoot();
    for (const name of ['smile', 'frown', 'wink'])
      for (const split of ['train', 'test']) put(root, `${split}/${name}/a.png`, await picture());
    const data = await load(root, { classes: { smile: 'happy', frown: 'sad', wink: null } });
    expect(await counts(data)).toEqual({ Training: { happy: 1, sad: 1 }, Test: { happy: 1, sad: 1 } });
    expect(data.reading).toEqual({ classes: { smile: 'happy', frown: 'sad', wink: null } });
  });
});
