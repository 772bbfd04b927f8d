/** Damaged Parquet files: every one is refused at once, by one error, and nothing of it comes later. */
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadDataSet } from '../../lib/data/registry.js';
import { unpackSnappy } from '../../lib/data/snappy.js';
import { generator } from '../../lib/random.js';
import { FerError } from '../../lib/errors.js';

const folder = mkdtempSync(path.join(tmpdir(), 'fer-parquet-faults-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What became of a file, and what became of promises that nobody awaited. */
async function outcome(file: string): Promise<{ error: unknown; unhandled: unknown[]; milliseconds: number }> {
  const unhandled: unknown[] = [];
  const heard = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', heard);
  const started = performance.now();
  const error = await loadDataSet(file, { cache: false }).then(
    () => undefined,
    (e: unknown) => e,
  );
  const milliseconds = performance.now() - started;
  await new Promise((done) => setTimeout(done, 5)); // unhandled rejections are told a turn later
  process.off('unhandledRejection', heard);
  return { error, unhandled, milliseconds };
}

describe('damaged Parquet files', () => {
  it.each([
    ['endless-snappy', 'it does not unpack'], // its decoder went round for ever
    ['long-run', 'a run of 1489983 values where 4480 are left'], // 1.3 s and 100 MB of 1,242 bytes; others 9 s
    ['page-headers', 'row 2: '], // "caught", and five rejections that nobody awaited ended the process
    ['two-errors', 'column label is not of its schema, or comes twice'], // the same, of two columns
  ])('refuses %s', async (name, reason) => {
    const { error, unhandled, milliseconds } = await outcome(path.resolve(`test/fixtures/faults/parquet/${name}.parquet`));
    expect(error).toMatchObject({ code: 'ERR_FER_DATA_FORMAT', message: expect.stringContaining(reason) as string });
    expect(unhandled).toEqual([]);
    expect(milliseconds).toBeLessThan(5000); // of a machine under load; less than a tenth of it on a quiet one
  });

  it('answers for any bytes set to any values', async () => {
    const files = ['bytes', 'lists', 'rows', 'text'].map((name) => readFileSync(`test/fixtures/parquet/${name}.parquet`));
    const random = generator(15);
    const file = path.join(folder, 'mutated.parquet');
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(files[i % files.length]);
      for (let k = 0; k < 1 + (i % 3); k++) bytes[Math.floor(random() * bytes.length)] = random() < 0.5 ? 255 : Math.floor(random() * 256);
      writeFileSync(file, bytes);
      const { error, unhandled } = await outcome(file);
      if (error !== undefined) expect(error).toBeInstanceOf(FerError);
      expect(unhandled).toEqual([]);
    }
  });

  it('refuses more rows than the file has bytes', async () => {
    const bytes = Buffer.from(readFileSync('test/fixtures/parquet/other.parquet'));
    // The group's number of rows, 2, as a zigzag varint in the footer, becomes a number of five bytes: the footer grows by four.
    const footer = bytes.readUInt32LE(bytes.length - 8);
    const start = bytes.length - 8 - footer;
    const at = bytes.lastIndexOf(Buffer.from([0x16, 0x04])); // field of type i64, value 2
    expect(at).toBeGreaterThan(start);
    const grown = Buffer.concat([
      bytes.subarray(0, at + 1),
      Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
      bytes.subarray(at + 2, bytes.length - 8),
      Buffer.alloc(4),
      Buffer.from('PAR1'),
    ]);
    grown.writeUInt32LE(footer + 4, grown.length - 8);
    const file = path.join(folder, 'rows.parquet');
    writeFileSync(file, grown);
    expect((await outcome(file)).error).toMatchObject({ message: expect.stringContaining('cannot hold as many rows') as string });
  });
});

describe('Snappy', () => {
  /** Literals and copies by hand, after format_description.txt. */
  const TEXT = Uint8Array.of(9, (3 - 1) << 2, 97, 98, 99, ((6 - 4) << 2) | 1, 3); // "abc", then 6 bytes from 3 back
  it('unpacks literals and copies that overlap', () => {
    expect(Buffer.from(unpackSnappy(TEXT, 9)).toString()).toBe('abcabcabc');
    expect([...unpackSnappy(Uint8Array.of(4, 0, 7, ((3 - 1) << 2) | 2, 1, 0), 4)]).toEqual([7, 7, 7, 7]);
  });

  it('refuses lengths beyond either end, and a negative one', () => {
    for (const [input, size] of [
      [TEXT, 8],
      [TEXT, 10],
      [TEXT.subarray(0, 4), 9],
      [Uint8Array.of(9, 1, 1), 9], // a copy of what is not there
      [Uint8Array.of(9, 63 << 2, 255, 255, 255, 255, 0, 0), 9], // a literal of 4 GB: -1 in 32 bits
    ] as const)
      expect(() => unpackSnappy(input, size)).toThrow(/damaged/);
  });
});
