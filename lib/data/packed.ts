/**
 * The bytes of a data set in one piece: a magic word, a JSON header, the images, the labels, the rows of each split. A reader believes
 * nothing of it: the header is checked in full before its counts are used, labels and rows against it.
 */
import type { LabelledImages } from './data-set.js';
import { native } from '../native.js';

const MAGIC = 'FERPACK1';
/** The magic word and the header's length. */
const BEFORE_HEADER = 12;
/** The longest header, bytes: a million malformed rows with their reasons. */
const LONGEST_HEADER = 1 << 27;

/** The pieces to write one after another. */
export function packedParts(data: LabelledImages): Uint8Array[] {
  const { name, source, synthetic, classes, size, notes, badRows, images, labels, splits } = data;
  const lengths = [...splits].map(([split, rows]) => [split, rows.length]);
  // Always in this order: a digest of the bytes tells a damaged copy.
  const facts = { name, source, synthetic, classes, size, notes, badRows, count: labels.length, splits: lengths };
  const header = Buffer.from(JSON.stringify(facts));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const rows = [...splits.values()].map((list) => new Uint8Array(list.buffer, list.byteOffset, list.byteLength));
  return [Buffer.from(MAGIC), length, header, images, labels, ...rows];
}

/** The data set but its arrays, and how long they are. */
interface Header {
  data: Omit<LabelledImages, 'images' | 'labels' | 'splits'>;
  count: number;
  splits: [name: string, rows: number][];
  /** Where the images begin, bytes. */
  end: number;
  /** All bytes. */
  total: number;
}

/** How many bytes the beginning of a packed data set takes until its images; undefined where `bytes` are too few to say. */
function headerEnd(bytes: Buffer): number | undefined {
  if (bytes.length < BEFORE_HEADER) return undefined;
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new Error('it does not begin as a packed data set');
  const length = bytes.readUInt32LE(MAGIC.length);
  if (length > LONGEST_HEADER) throw new Error(`its header has ${length} bytes`);
  return BEFORE_HEADER + length;
}

/** @throws {Error} for a header that describes no data set. */
async function parseHeader(bytes: Buffer, end: number): Promise<Header> {
  const { readPackedHeader } = await import('./packed-header.js');
  const { count, splits, ...data } = readPackedHeader(JSON.parse(bytes.toString('utf8', BEFORE_HEADER, end)));
  const total = end + count * data.size * data.size + count + 4 * splits.reduce((sum, [, rows]) => sum + rows, 0);
  if (!Number.isSafeInteger(total)) throw new Error(`its header declares ${total} bytes`);
  return { data, count, splits, end, total };
}

/**
 * The data set of these bytes. Images and labels are views of them.
 * @throws {Error} saying what is wrong with them.
 */
export async function unpack(bytes: Buffer): Promise<LabelledImages> {
  const end = headerEnd(bytes);
  if (end === undefined || end > bytes.length) throw new Error('it is cut short');
  return arraysOf(bytes, await parseHeader(bytes, end));
}

function arraysOf(bytes: Buffer, { data, count, splits, end, total }: Header): LabelledImages {
  if (bytes.length !== total) throw new Error(`it has ${bytes.length} bytes where its header says ${total}`);
  // Of a plain array, whose slice() copies: a Buffer's would not.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = end;
  const take = (length: number): Uint8Array => view.subarray(at, (at += length));
  const images = take(count * data.size * data.size);
  const labels = take(count);
  if (labels.some((label) => label >= data.classes.length)) throw new Error(`a label is none of its ${data.classes.length} classes`);
  const rowsOf = (length: number): Uint32Array => {
    // Rows are copied, because they need not lie on a 4-byte boundary.
    const rows = new Uint32Array(take(length * 4).slice().buffer);
    if (rows.some((row) => row >= count)) throw new Error(`a split has a row beyond its ${count}`);
    return rows;
  };
  return { ...data, images, labels, splits: new Map(splits.map(([name, length]) => [name, rowsOf(length)])) };
}

/**
 * The same from a stream, which is read no further than its header declares.
 * @throws {Error} as `unpack`; {FerError} ERR_FER_OUT_OF_MEMORY.
 */
export async function unpackStream(stream: AsyncIterable<Buffer>): Promise<LabelledImages> {
  let chunks: Buffer[] = [];
  let length = 0;
  let needed = BEFORE_HEADER;
  let header: Header | undefined;
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (header) {
      if (length + chunk.length > header.total) throw new Error('it has more bytes than its header says');
      chunk.copy(bytes, length);
      length += chunk.length;
      continue;
    }
    chunks.push(chunk);
    length += chunk.length;
    while (length >= needed && !header) {
      const begun = Buffer.concat(chunks);
      chunks = [begun];
      const end = headerEnd(begun);
      if (end === undefined || length < end) {
        needed = end ?? needed;
        break;
      }
      header = await parseHeader(begun, end);
      if (length > header.total) throw new Error('it has more bytes than its header says');
      native().requireMemory(header.total, `a data set of ${header.count} images`);
      bytes = Buffer.allocUnsafeSlow(header.total);
      begun.copy(bytes);
    }
  }
  if (!header || length !== header.total) throw new Error('it is cut short');
  return arraysOf(bytes, header);
}
