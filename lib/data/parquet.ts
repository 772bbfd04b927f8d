/** Parquet as the model hubs keep FER2013: one row an image (encoded, or its grey values) and its label. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { isObject } from '../json.js';
import { pacer } from '../slices.js';
import { CLASS_ORDERS, isClassOrder, namedClasses } from './class-names.js';
import { RowCollector } from './collector.js';
import { checkClassCount } from './data-set.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { decodeImage } from './image.js';
import { notesOf, rowGroups, type Row } from './parquet-file.js';
import { FER_SPLITS, type SplitName } from './splits.js';
import { resizeBilinear } from './bilinear.js';

const PARQUET = /\.parquet$/i;
/** A file's name in a folder; "._x.parquet" is a note that macOS leaves beside x.parquet. */
const isParquet = (name: string): boolean => PARQUET.test(name) && !name.startsWith('.');

export const parquet: DataForm = {
  describe: '.parquet, or a folder of them',
  looks: [['a .parquet file or folder', 'pictures and labels as on the model hubs']],
  matches: async (path, stats, head) =>
    stats.isFile() ? PARQUET.test(path) || head.toString('latin1', 0, 4) === 'PAR1' : (await readdir(path)).some(isParquet),
  read: readParquet,
};

function splitOf(file: string): SplitName {
  const name = path.basename(file).toLowerCase();
  if (/private/.test(name)) return 'PrivateTest';
  if (/valid|public|\bval\b/.test(name)) return 'PublicTest';
  return /test/.test(name) ? 'Test' : 'Training';
}

/** The columns that may have what is looked for, the first that is there. */
const IMAGE = ['image', 'img', 'img_bytes', 'pixels'];
const LABEL = ['label', 'labels', 'emotion'];
const USAGE = ['Usage', 'usage'];
const valueOf = (row: Row, names: readonly string[]): unknown =>
  names.map((name) => row[name]).find((value) => value !== undefined && value !== null);

/** What is wrong with a row; the reader adds file and row. */
class BadRow extends Error {}
const fail = (reason: string): never => {
  throw new BadRow(reason);
};

/** What numbers stand for: the names of a hub's ClassLabel, or an order of classes. */
interface Numbered {
  first: number;
  classes: readonly string[];
}

/** The names of the hubs' ClassLabel, which a file may have beside its columns. */
function classLabels(notes: ReadonlyMap<string, string>): Numbered | undefined {
  let info: unknown;
  try {
    info = JSON.parse(notes.get('huggingface') ?? 'null');
  } catch {
    return undefined;
  }
  const features = isObject(info) && isObject(info.info) && isObject(info.info.features) ? info.info.features : {};
  const label = LABEL.map((name) => (Object.hasOwn(features, name) ? features[name] : undefined)).find(isObject);
  const names = label?.names;
  return Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string')
    ? { first: 0, classes: names }
    : undefined;
}

/** The class of a row, as the data set calls it, and whether by a number. */
function classOf(row: Row, { first, classes }: Numbered): { name: string; byNumber: boolean } {
  const value = valueOf(row, LABEL);
  const given = value instanceof Uint8Array ? Buffer.from(value).toString('utf8').trim() : value;
  if (typeof given === 'string' && given !== '' && !/^-?\d+$/.test(given)) return { name: given, byNumber: false };
  const label = typeof given === 'number' || typeof given === 'bigint' || (typeof given === 'string' && given !== '') ? Number(given) : NaN;
  const name = classes[label - first] ?? fail(`expected a label of ${first} to ${first + classes.length - 1}, got ${String(given)}`);
  return { name, byNumber: true };
}

/** The row's own Usage where it has that column, otherwise what the file's name says. */
function usageOf(row: Row, ofFile: SplitName): SplitName {
  const value = valueOf(row, USAGE);
  if (value === undefined) return ofFile;
  const name = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
  return FER_SPLITS.find((split) => split === name) ?? fail(`expected a Usage of ${FER_SPLITS.join(', ')}, got ${name}`);
}

/** Grey values in a list, flat or row by row, or in a text as FER2013's CSV has them. */
function greyValues(value: unknown, size: number): Uint8Array {
  const list = typeof value === 'string' ? value.trim().split(/\s+/) : (value as unknown[]).flat();
  const side = Math.sqrt(list.length);
  if (!Number.isInteger(side) || side === 0) throw new BadRow(`expected a square number of grey values, got ${list.length}`);
  const pixels = Uint8Array.from(list, (item, i) => {
    const grey = typeof item === 'string' && item === '' ? NaN : Number(item);
    if (!Number.isInteger(grey) || grey < 0 || grey > 255)
      throw new BadRow(`expected grey values of 0 to 255, got ${String(item)} at ${i + 1}`);
    return grey;
  });
  return resizeBilinear(pixels, 1, side, size);
}

async function imageOf(row: Row, size: number): Promise<Uint8Array> {
  const value = valueOf(row, IMAGE);
  const inner = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value;
  // Numbers a byte wide arrive as typed arrays; only an encoded picture is a Uint8Array.
  if (typeof inner === 'string' || Array.isArray(inner)) return greyValues(inner, size);
  if (inner instanceof Uint8Array && /^[\d\s]+$/.test(Buffer.from(inner.subarray(0, 8)).toString('latin1')))
    return greyValues(Buffer.from(inner).toString('latin1'), size);
  if (inner instanceof Uint8Array)
    return decodeImage(inner, { size }).catch((cause: Error) => {
      throw new BadRow(cause.message, { cause });
    });
  if (ArrayBuffer.isView(inner)) return greyValues(Array.from(inner as Int32Array), size);
  throw new BadRow('expected the image as bytes or grey values in a column named image or pixels');
}

/**
 * Reads one .parquet file or a folder of them. Columns: `image` (an encoded picture as bytes or a struct with `bytes`) or `pixels`
 * (grey values as a list or text), `label`, `labels` or `emotion` (a name, or a number: of the file's ClassLabel, else 0 to 6), and perhaps `Usage`; without it a file's name
 * (train, validation, test, ...) tells its split.
 * @throws {FerError} ERR_FER_DATA_FORMAT naming file, row and reason.
 */
async function readParquet(source: string, options: LoadOptions): Promise<Read> {
  const rest = pacer();
  const size = options.size ?? 48;
  const files = (await stat(source)).isDirectory()
    ? (await readdir(source))
        .filter(isParquet)
        .sort()
        .map((name) => path.join(source, name))
    : [source];
  const collector = new RowCollector(source, size, options.skipBadRows);
  const numbered: Numbered = isClassOrder(options.classes)
    ? CLASS_ORDERS[options.classes]
    : ((await labelsOf(files)) ?? CLASS_ORDERS.fer2013);
  /** Classes in the order in which they come. */
  const found: string[] = [];
  let numbers = false;
  for (const file of files) {
    const formatError = (line: number, reason: string, cause?: unknown): FerError =>
      new FerError('ERR_FER_DATA_FORMAT', `${file}, row ${line}: ${reason}`, { cause, details: { file, line, reason } });
    let line = 0;
    try {
      for await (const rows of rowGroups(file, [...IMAGE, ...LABEL, ...USAGE])) {
        collector.reserve(rows.length);
        for (const row of rows) {
          line++;
          try {
            const [{ name, byNumber }, split, image] = [classOf(row, numbered), usageOf(row, splitOf(file)), await imageOf(row, size)];
            numbers ||= byNumber;
            if (!found.includes(name)) found.push(name);
            checkClassCount(source, found.length);
            collector.add(image, found.indexOf(name), split);
          } catch (error) {
            if (!(error instanceof BadRow)) throw error;
            const reason = files.length > 1 ? `${path.basename(file)}: ${error.message}` : error.message;
            collector.refuse(line, reason, formatError(line, error.message, error));
          }
          await rest();
        }
      }
    } catch (cause) {
      throw cause instanceof FerError ? cause : unreadable(file, cause as Error);
    }
  }
  if (collector.count === 0) throw new FerError('ERR_FER_DATA_FORMAT', `${source}: no rows found`, { details: { file: source } });
  const all = numbers ? [...new Set([...numbered.classes, ...found])] : found;
  const named = namedClasses(all, options.classes);
  const keys = [...named.classes.keys()];
  const notes = [...named.notes, ...(collector.bad > 0 ? [`${collector.bad} malformed rows were skipped`] : [])];
  const data = collector.finish({ name: 'Parquet', classes: [...named.classes.values()], notes });
  const placeOf = found.map((name) => keys.indexOf(named.keys.get(name)!));
  return { ...data, labels: data.labels.map((label) => placeOf[label]) };
}

/** The first names of classes that one of the files has. */
async function labelsOf(files: readonly string[]): Promise<Numbered | undefined> {
  for (const file of files) {
    const notes = await notesOf(file).catch((cause: Error) => {
      throw cause instanceof FerError ? cause : unreadable(file, cause);
    });
    const labels = classLabels(notes);
    if (labels) return labels;
  }
  return undefined;
}

function unreadable(file: string, cause: Error): FerError {
  const reason = `not a readable Parquet file (${cause.message})`;
  return new FerError('ERR_FER_DATA_FORMAT', `${file}: ${reason}`, { cause, details: { file, reason } });
}
