import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataSet } from '../../lib/data/registry.js';
import { FerError } from '../../lib/errors.js';
import { native } from '../../lib/native.js';

const SIZE = 10;
const PIXELS = SIZE * SIZE;
const row = (label: number | string, usage: string, fill = 7): string => `${label},${new Array(PIXELS).fill(fill).join(' ')},${usage}`;
const GOOD = ['emotion,pixels,Usage', row(0, 'Training', 0), row(6, 'PublicTest', 255), row(3, 'PrivateTest', 10), row(1, 'Training', 99)];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-csv-'));
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function write(content: string | Buffer, extension = '.csv'): string {
  const file = path.join(folder, `${files++}${extension}`);
  writeFileSync(file, content);
  return file;
}

describe('FER2013 CSV', () => {
  it.each([
    ['official', GOOD.join('\n')],
    ['with a last newline and CRLF', `${GOOD.join('\r\n')}\r\n`],
    ['with a byte order mark and blank lines', `\ufeff${GOOD.join('\n\n')}`],
    [
      'icml_face_data.csv',
      [
        'emotion, Usage, pixels',
        ...GOOD.slice(1).map((line) => {
          const [a, b, c] = line.split(',');
          return `${a}, ${c}, ${b}`;
        }),
      ].join('\n'),
    ],
    [
      'quoted',
      [
        '"emotion","pixels","Usage"',
        ...GOOD.slice(1).map((line) =>
          line
            .split(',')
            .map((field) => `"${field}"`)
            .join(),
        ),
      ].join('\n'),
    ],
  ])('reads the %s form', async (_, content) => {
    const data = await loadDataSet(write(content), { cache: false });
    expect(data.size).toBe(SIZE);
    expect([...data.labels]).toEqual([0, 6, 3, 1]);
    expect([...data.images.filter((_, i) => i % PIXELS === 0)]).toEqual([0, 255, 10, 99]);
    expect(Object.fromEntries([...data.splits].map(([name, rows]) => [name, [...rows]]))).toEqual({
      Training: [0, 3],
      PublicTest: [1],
      PrivateTest: [2],
    });
  });

  it('reads gzip, and the second time from the packed cache', async () => {
    const file = write(gzipSync(GOOD.join('\n')), '.csv.gz');
    const first = await loadDataSet(file);
    expect(readdirSync(path.join(folder, 'cache', 'fer-cudnn'))).toHaveLength(1);
    const second = await loadDataSet(file);
    expect(Buffer.from(second.images).equals(Buffer.from(first.images))).toBe(true);
    expect(second.labels).toEqual(first.labels);
    expect([...second.splits].map(([k, v]) => [k, [...v]])).toEqual([...first.splits].map(([k, v]) => [k, [...v]]));
    const packed = path.join(folder, 'cache', 'fer-cudnn', readdirSync(path.join(folder, 'cache', 'fer-cudnn'))[0]);
    writeFileSync(packed, 'FERPACK1 damaged');
    expect((await loadDataSet(file)).labels).toEqual(first.labels);
  });

  const bad = (line: string): string => [GOOD[0], GOOD[1], line, GOOD[2]].join('\n');
  it.each([
    ['too few pixels', bad('0,1 2 3,Training'), 3, 'expected 100 pixels, got 3'],
    ['a pixel above 255', bad(row(0, 'Training', 256)), 3, 'expected pixels of 0 to 255, got "256" as number 1'],
    ['a negative pixel', bad(row(0, 'Training').replace('7 7', '7 -7')), 3, 'got "-7" as number 2'],
    ['a pixel that is no number', bad(row(0, 'Training').replace('7 7', '7 x')), 3, 'got "x" as number 2'],
    ['an unknown label', bad(row(7, 'Training')), 3, 'expected an emotion of 0 to 6, got "7"'],
    ['an empty label', bad(row('', 'Training')), 3, 'expected an emotion of 0 to 6, got ""'],
    ['an unknown Usage', bad(row(0, 'Test')), 3, 'expected Usage Training, PublicTest or PrivateTest, got "Test"'],
    ['a missing column', bad('0,Training'), 3, 'expected 3 columns, got 2'],
    ['a header without pixels', 'emotion,image,Usage\n', 1, 'pixels is missing from the header "emotion,image,Usage"'],
    ['an empty file', '', 1, 'the file is empty'],
    ['a header alone', 'emotion,pixels,Usage\n', 1, 'the file has no good row'],
    [
      'pixels that make no square',
      'emotion,pixels,Usage\n0,1 2 3,Training',
      2,
      'expected a square number of pixels (2304 for 48x48), got 3',
    ],
  ])('names file, line and reason of %s', async (_, content, line, reason) => {
    const file = write(content);
    const error = await loadDataSet(file).then(
      () => undefined,
      (e: FerError) => e,
    );
    expect(error).toBeInstanceOf(FerError);
    expect(error?.code).toBe('ERR_FER_DATA_FORMAT');
    expect(error?.message).toContain(`${file}, line ${line}: `);
    expect(error?.message).toContain(reason);
    expect(error?.details).toMatchObject({ file, line });
  });

  it('tells a truncated from a damaged gzip', async () => {
    const whole = gzipSync(GOOD.join('\n'));
    await expect(loadDataSet(write(whole.subarray(0, whole.length - 12), '.csv.gz'))).rejects.toThrow(/the gzip file is truncated/);
    const damaged = Buffer.from(whole);
    damaged.fill(255, 20, 30);
    await expect(loadDataSet(write(damaged, '.csv.gz'))).rejects.toThrow(/the gzip file is damaged/);
  });

  it('goes by content, not by name: browsers unpack what they download', async () => {
    for (const [content, name] of [
      [GOOD.join('\n'), '.csv.gz'],
      [gzipSync(GOOD.join('\n')), '.csv'],
      [gzipSync(GOOD.join('\n')), '.CSV.GZ'],
      [GOOD.join('\n'), ''],
    ] as const)
      expect([...(await loadDataSet(write(content as string, name), { cache: false })).labels]).toEqual([0, 6, 3, 1]);
  });

  it('skips and lists bad rows on request', async () => {
    const data = await loadDataSet(write([GOOD[0], row(9, 'Training'), GOOD[1], '1,2', GOOD[2]].join('\n')), { skipBadRows: true });
    expect([...data.labels]).toEqual([0, 6]);
    expect(data.badRows.map(({ line }) => line)).toEqual([2, 4]);
    expect(data.notes).toContain('2 malformed rows were skipped');
  });

  it('names a path that does not exist and one that is no data set', async () => {
    await expect(loadDataSet(path.join(folder, 'absent.csv'))).rejects.toMatchObject({ code: 'ERR_FER_DATA_NOT_FOUND' });
    await expect(loadDataSet(write('x', '.txt'))).rejects.toThrow(/is no data set this program knows; it reads FER2013 as \.csv/);
  });

  it('gives the same result however the file is cut into chunks', () => {
    const text = Buffer.from(GOOD.join('\n'));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const parser = new (native().CsvParser)({ skipBadRows: false });
        const ends = [...cuts, text.length].sort((a, b) => a - b);
        ends.forEach((end, i) => parser.push(text.subarray(i ? ends[i - 1] : 0, end)));
        const { labels, images } = parser.finish();
        expect([...labels]).toEqual([0, 6, 3, 1]);
        expect(images.length).toBe(4 * PIXELS);
      }),
    );
  });
});
