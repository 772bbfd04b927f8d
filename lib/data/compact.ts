/**
 * The compact form, `.fer`: a data set without loss in about 0.6 of FER2013's gzipped CSV, to carry to another machine.
 *
 * Each pixel is stored as its difference from a prediction made of its left, upper and upper-left neighbours (the median edge
 * detector of LOCO-I: Weinberger, Seroussi and Sapiro, IEEE Trans. Image Processing 9, 2000); the differences, labels and splits
 * go through Brotli. A SHA-256 of the data set tells a damaged copy.
 */
import { writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import { readRegular } from '../regular-file.js';
import { inSlices, pacer, PIECE, pieces } from '../slices.js';
import type { LabelledImages } from './data-set.js';
import type { DataForm } from './form.js';
import { packedParts, unpackStream } from './packed.js';

export const compact: DataForm = {
  describe: 'the compact form, .fer',
  looks: [['a .fer file', 'made by "fer-cudnn data compact"']],
  matches: (path, stats, head) => stats.isFile() && (/\.fer$/i.test(path) || head.subarray(0, MAGIC.length).equals(MAGIC)),
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

/**
 * Pixels to differences, or, with `restore`, differences to pixels; both modulo 256. The first row and column know one neighbour.
 * Rests after each image.
 */
function* convert(from: Uint8Array, size: number, restore: boolean): Generator<void, Uint8Array> {
  const to = new Uint8Array(from.length);
  const pixels = restore ? to : from;
  const sign = restore ? 1 : -1;
  for (let i = 0; i < from.length; yield)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++, i++) {
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
  const rest = pacer();
  for (const piece of pieces(packedParts(data))) {
    hash.update(piece);
    await rest();
  }
  return hash.digest();
}

/** Writes `data` to `file`; `fast` takes seconds for FER2013, `small` minutes. Returns the file's size in bytes. */
export async function writeCompact(file: string, data: LabelledImages, effort: keyof typeof QUALITY = 'small'): Promise<number> {
  const [{ createBrotliCompress, constants }, { Readable }] = await Promise.all([import('node:zlib'), import('node:stream')]);
  const parts = packedParts({ ...data, images: await inSlices(convert(data.images, data.size, false)) });
  const brotli = createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY[effort],
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: parts.reduce((sum, part) => sum + part.length, 0),
    },
  });
  const packed: Buffer[] = [];
  for await (const chunk of Readable.from(pieces(parts)).pipe(brotli)) packed.push(chunk as Buffer);
  const head = [MAGIC, await digest(data)];
  await writeFileAtomic(file, ...head, ...packed);
  return [...head, ...packed].reduce((sum, { length }) => sum + length, 0);
}

/**
 * The data set of a .fer file. It is unpacked no further than it declares.
 * @throws {FerError} ERR_FER_DATA_FORMAT, ERR_FER_DATA_NOT_FOUND, ERR_FER_OUT_OF_MEMORY
 */
export async function readCompact(file: string): Promise<LabelledImages> {
  const [{ createBrotliDecompress }, { Readable }] = await Promise.all([import('node:zlib'), import('node:stream')]);
  const wrong = (reason: string, cause?: unknown): FerError =>
    new FerError('ERR_FER_DATA_FORMAT', `${file}: ${reason}`, { cause, details: { file, reason } });
  const bytes = await readRegular(file);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw wrong('it was not made by "fer-cudnn data compact", or by another version of it');
  const body = MAGIC.length + DIGEST_BYTES;
  let data: LabelledImages;
  try {
    data = await unpackStream(Readable.from(pieces([bytes.subarray(body)])).pipe(createBrotliDecompress({ chunkSize: PIECE })));
  } catch (cause) {
    if (cause instanceof FerError) throw cause;
    throw wrong(`the file is damaged or cut short (${(cause as Error).message}); make it or copy it again`, cause);
  }
  data.images = await inSlices(convert(data.images, data.size, true));
  if (!(await digest(data)).equals(bytes.subarray(MAGIC.length, body))) throw wrong('the file is damaged; make it or copy it again');
  return data;
}
