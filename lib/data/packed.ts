/** The bytes of a data set in one piece: a magic word, a JSON header, the images, the labels, the rows of each split. */
import type { LabelledImages } from './data-set.js';

const MAGIC = 'FERPACK1';

/** The pieces to write one after another. */
export function packedParts(data: LabelledImages): Uint8Array[] {
  const { images, labels, splits, ...rest } = data;
  const header = Buffer.from(
    JSON.stringify({ ...rest, count: labels.length, splits: [...splits].map(([name, rows]) => [name, rows.length]) }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const rows = [...splits.values()].map((list) => new Uint8Array(list.buffer, list.byteOffset, list.byteLength));
  return [Buffer.from(MAGIC), length, header, images, labels, ...rows];
}

/** The data set, or undefined where the bytes are not one or are cut short. Images and labels are views of `bytes`. */
export function unpack(bytes: Buffer): LabelledImages | undefined {
  try {
    if (bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
    const headerEnd = 12 + bytes.readUInt32LE(8);
    const header = JSON.parse(bytes.toString('utf8', 12, headerEnd)) as Omit<LabelledImages, 'images' | 'labels' | 'splits'> & {
      count: number;
      splits: [string, number][];
    };
    const { count, splits, ...rest } = header;
    const pixels = count * header.size * header.size;
    const rows = splits.reduce((sum, [, length]) => sum + length, 0);
    if (bytes.length !== headerEnd + pixels + count + rows * 4) return undefined;
    // Of a plain array, whose slice() copies: a Buffer's would not.
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = headerEnd;
    const take = (length: number): Uint8Array => view.subarray(at, (at += length));
    const images = take(pixels);
    const labels = take(count);
    // Rows are copied, because they need not lie on a 4-byte boundary.
    return {
      ...rest,
      images,
      labels,
      splits: new Map(splits.map(([name, length]) => [name, new Uint32Array(take(length * 4).slice().buffer)])),
    };
  } catch {
    return undefined;
  }
}
