/** Parquet as the model hubs keep FER2013: one row an image, its encoded bytes and its label. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { FerError } from '../errors.js';
import { FER_CLASSES, rowsBySplit, type LabelledImages } from './data-set.js';
import { decodeImage } from './image.js';

function splitOf(file: string): string {
  const name = path.basename(file).toLowerCase();
  if (/private/.test(name)) return 'PrivateTest';
  if (/valid|public|\bval\b/.test(name)) return 'PublicTest';
  return /test/.test(name) ? 'Test' : 'Training';
}

/**
 * Reads one .parquet file or a folder of them; a file's name (train, validation, test, ...) tells its split.
 * Columns: `image` (bytes, or a struct with `bytes`) and `label` or `labels` (0 to 6).
 */
export async function readParquet(source: string, options: { size?: number } = {}): Promise<LabelledImages> {
  const size = options.size ?? 48;
  const files = (await stat(source)).isDirectory()
    ? (await readdir(source))
        .filter((name) => name.endsWith('.parquet'))
        .sort()
        .map((name) => path.join(source, name))
    : [source];
  const names: string[] = [];
  const pixels: Uint8Array[] = [];
  const labels: number[] = [];
  const splits: number[] = [];
  for (const file of files) {
    const fail = (row: number, reason: string, cause?: unknown): never => {
      throw new FerError('ERR_FER_DATA_FORMAT', `${file}, row ${row}: ${reason}`, { cause, details: { file, line: row, reason } });
    };
    let rows: Record<string, unknown>[] = [];
    try {
      rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), utf8: false });
    } catch (cause) {
      fail(0, `not a readable Parquet file (${(cause as Error).message})`, cause);
    }
    const name = splitOf(file);
    if (!names.includes(name)) names.push(name);
    for (const [i, row] of rows.entries()) {
      const label = Number(row.label ?? row.labels ?? row.emotion);
      if (!Number.isInteger(label) || label < 0 || label >= FER_CLASSES.length)
        fail(i + 1, `expected a label of 0 to 6, got ${String(row.label ?? row.labels ?? row.emotion)}`);
      const image = row.image ?? row.img ?? row.img_bytes;
      const bytes = image instanceof Uint8Array ? image : (image as { bytes?: Uint8Array } | undefined)?.bytes;
      if (!(bytes instanceof Uint8Array)) fail(i + 1, 'expected the image as bytes in a column named image');
      pixels.push(await decodeImage(bytes as Uint8Array, { size }));
      labels.push(label);
      splits.push(names.indexOf(name));
    }
  }
  if (labels.length === 0) throw new FerError('ERR_FER_DATA_FORMAT', `${source}: no rows found`, { details: { file: source } });
  const images = new Uint8Array(labels.length * size * size);
  pixels.forEach((image, i) => images.set(image, i * size * size));
  return {
    name: 'Parquet',
    source,
    synthetic: false,
    classes: [...FER_CLASSES],
    size,
    images,
    labels: Uint8Array.from(labels),
    splits: rowsBySplit(names, Uint8Array.from(splits)),
    notes: [],
    badRows: [],
  };
}
