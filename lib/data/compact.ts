/**
 * The compact form, `.fer`: a data set without loss in about 0.6 of FER2013's gzipped CSV, to carry to another machine.
 *
 * Each pixel is stored as its difference from a prediction made of its left, upper and upper-left neighbours (the median edge
 * detector of LOCO-I: Weinberger, Seroussi and Sapiro, IEEE Trans. Image Processing 9, 2000); the differences, labels and splits
 * go through Brotli. A SHA-256 of the data set tells a damaged copy.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import type { LabelledImages } from './data-set.js';
import type { DataForm } from './form.js';
import { packedParts, unpack } from './packed.js';

export const compact: DataForm = {
  describe: 'the compact form, .fer',
  looks: [['a .fer file', 'made by "fer-cudnn data compact"']],
  matches: (path, stats) => stats.isFile() && path.endsWith('.fer'),
  read: readCompact,
};

const MAGIC = Buffer.from('FERCOMP1');
const DIGEST_BYTES = 32;
const QUALITY = { fast: 5, small: 11 };

/** What is predicted for a pixel with these neighbours. */
function predict(left: number, upper: number, corner: number): number {
  if (corner >= Math.max(left, upper)) return Math.min(left, upper);
  if (corner <= Math.min(left, upper)) return Math.max(left, upper);
  return left + upper - corner;
}

/** Pixels to differences, or, with `restore`, differences to pixels; both modulo 256. The first row and column know one neighbour. */
function convert(from: Uint8Array, size: number, restore: boolean): Uint8Array {
  const to = new Uint8Array(from.length);
  const pixels = restore ? to : from;
  const sign = restore ? 1 : -1;
  for (let i = 0; i < from.length; i++) {
    const x = i % size;
    const y = Math.floor(i / size) % size;
    const guess =
      x > 0 && y > 0
        ? predict(pixels[i - 1], pixels[i - size], pixels[i - size - 1])
        : x > 0
          ? pixels[i - 1]
          : y > 0
            ? pixels[i - size]
            : 0;
    to[i] = from[i] + sign * guess;
  }
  return to;
}

async function digest(data: LabelledImages): Promise<Buffer> {
  const hash = (await import('node:crypto')).createHash('sha256');
  for (const part of packedParts(data)) hash.update(part);
  return hash.digest();
}

/** Writes `data` to `file`; `fast` takes seconds for FER2013, `small` minutes. Returns the file's size in bytes. */
export async function writeCompact(file: string, data: LabelledImages, effort: keyof typeof QUALITY = 'small'): Promise<number> {
  const { brotliCompress, constants } = await import('node:zlib');
  const parts = packedParts({ ...data, images: convert(data.images, data.size, false) });
  const packed = await promisify(brotliCompress)(Buffer.concat(parts), {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY[effort], [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS },
  });
  await writeFileAtomic(file, MAGIC, await digest(data), packed);
  return MAGIC.length + DIGEST_BYTES + packed.length;
}

/** @throws {FerError} ERR_FER_DATA_FORMAT where the file is damaged or of another kind; ERR_FER_DATA_NOT_FOUND. */
export async function readCompact(file: string): Promise<LabelledImages> {
  const wrong = (reason: string, cause?: unknown): FerError =>
    new FerError('ERR_FER_DATA_FORMAT', `${file}: ${reason}`, { cause, details: { file, reason } });
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw wrong('it was not made by "fer-cudnn data compact", or by another version of it');
  const body = MAGIC.length + DIGEST_BYTES;
  let unpacked: LabelledImages | undefined;
  try {
    unpacked = unpack(await promisify((await import('node:zlib')).brotliDecompress)(bytes.subarray(body)));
  } catch (cause) {
    throw wrong('the file is damaged or cut short; make it or copy it again', cause);
  }
  const data = unpacked && { ...unpacked, images: convert(unpacked.images, unpacked.size, true) };
  if (!data || !(await digest(data)).equals(bytes.subarray(MAGIC.length, body)))
    throw wrong('the file is damaged; make it or copy it again');
  return data;
}
