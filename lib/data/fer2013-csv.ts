/** FER2013 as CSV: the official `fer2013.csv`, the same gzipped, and Kaggle's `icml_face_data.csv`. */
import { FerError, invalidArgument } from '../errors.js';
import { native, type NativeCsvParser } from '../native.js';
import { openRegular } from '../regular-file.js';
import { adviceOn, headOf } from './content.js';
import { CLASS_ORDERS, FER_CLASSES, isClassOrder, namedClasses } from './class-names.js';
import { rowsBySplit, type LabelledImages } from './data-set.js';
import type { DataForm, LoadOptions } from './form.js';
import { FER_SPLITS } from './splits.js';

export const fer2013Csv: DataForm = {
  describe: 'FER2013 as .csv or .csv.gz',
  looks: [
    ['fer2013.csv, fer2013.csv.gz', 'the official file: emotion, pixels, Usage'],
    ['icml_face_data.csv, train.csv', "Kaggle's forms of it; train.csv has no Usage: all is to learn from, or --split-by divides it"],
  ],
  matches: (path, stats, head) => stats.isFile() && !isVotes(head) && (/\.csv(\.gz)?$/i.test(path) || isHeader(head) || isGzip(head)),
  read: readFer2013Csv,
};

const isGzip = (head: Buffer): boolean => head[0] === 0x1f && head[1] === 0x8b;
/** Whether a text begins with the columns of FER+'s votes. */
export const isVotes = (head: Buffer): boolean => /^\W*Usage"?\s*,\s*"?Image name/i.test(head.toString('latin1', 0, 64));
/** Whether a text begins with FER2013's columns. */
const isHeader = (head: Buffer): boolean => /^\W*(emotion|usage|pixels)\W/i.test(head.toString('latin1', 0, 64));

/** Bytes that are parsed between two turns of the event loop: half a millisecond. */
const CHUNK = 1 << 18;
/** How often memory is asked for, in bytes read. */
const OFTEN = 1 << 26;

/**
 * Reads a CSV with the columns emotion, pixels and Usage (any order; spaces in the header allowed; without Usage all is Training).
 * @throws {FerError} ERR_FER_DATA_FORMAT naming file, line and reason; ERR_FER_DATA_NOT_FOUND.
 */
async function readFer2013Csv(path: string, options: Pick<LoadOptions, 'skipBadRows' | 'classes'>): Promise<LabelledImages> {
  const [{ createGunzip }, { Writable }, { pipeline }] = await Promise.all([
    import('node:zlib'),
    import('node:stream'),
    import('node:stream/promises'),
  ]);
  const parser = new (native().CsvParser)({ skipBadRows: options.skipBadRows ?? false });
  const { handle } = await openRegular(path);
  const gzip = isGzip(await headOf(handle));
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        if (bytes === 0) refuseForeign(path, chunk);
        // A pixel takes two bytes at least, and a list that grows needs as much again.
        if (Math.floor(bytes / OFTEN) < Math.floor((bytes += chunk.length) / OFTEN))
          native().requireMemory(bytes, `a CSV of ${bytes} bytes or more`);
        parser.push(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const file = handle.createReadStream({ highWaterMark: CHUNK });
  try {
    if (gzip) await pipeline(file, createGunzip({ chunkSize: CHUNK }), sink);
    else await pipeline(file, sink);
    return underOrder(toLabelledImages(path, parser), options.classes);
  } catch (error) {
    throw dataError(path, error as NodeJS.ErrnoException & { line?: number; reason?: string });
  }
}

/** What is no text is no CSV: an archive inside gzip, a picture. @throws {FerError} ERR_FER_DATA_FORMAT */
function refuseForeign(path: string, head: Uint8Array): void {
  const advice = adviceOn(head);
  if (advice) throw new FerError('ERR_FER_DATA_FORMAT', `${path}: its content ${advice}`, { details: { file: path, reason: advice } });
}

function toLabelledImages(path: string, parser: NativeCsvParser): LabelledImages {
  const { images, labels, splits, size, badRows } = parser.finish();
  return {
    name: 'FER2013 CSV',
    source: path,
    synthetic: false,
    classes: [...FER_CLASSES],
    size,
    images,
    labels,
    splits: rowsBySplit(FER_SPLITS, splits),
    notes: badRows.length ? [`${badRows.length} malformed rows were skipped`] : [],
    badRows,
  };
}

/** The same where the numbers are not FER2013's but those of `whose`. */
function underOrder(data: LabelledImages, whose: LoadOptions['classes']): LabelledImages {
  if (!isClassOrder(whose) || whose === 'fer2013') return data;
  const { first, classes } = CLASS_ORDERS[whose];
  if (first !== 0) throw invalidArgument('classes', "an order from 0, as a CSV's numbers are", whose);
  const numbers = data.classes.map((_, label) => String(label));
  const named = namedClasses(numbers, whose);
  const keys = [...named.classes.keys()];
  const placeOf = numbers.map((number) => keys.indexOf(named.keys.get(number)!));
  const notes = [`the numbers are taken as ${whose}'s: ${classes.slice(0, numbers.length).join(', ')}`, ...data.notes];
  return { ...data, classes: keys, labels: data.labels.map((label) => placeOf[label]), notes };
}

/** What went wrong, in the words of someone who has to act on it. */
function dataError(path: string, error: NodeJS.ErrnoException & { line?: number; reason?: string }): FerError {
  if (error instanceof FerError && error.details.file === path) return error;
  if (error.line !== undefined && error.reason !== undefined)
    return new FerError('ERR_FER_DATA_FORMAT', `${path}, line ${error.line}: ${error.reason}`, {
      cause: error,
      details: { file: path, line: error.line, reason: error.reason },
    });
  if (error.code === 'ENOENT' || error.code === 'EACCES')
    return new FerError('ERR_FER_DATA_NOT_FOUND', `${path} cannot be read: ${error.code}`, { cause: error });
  const reason =
    error.code === 'Z_BUF_ERROR' || /unexpected end/i.test(error.message)
      ? 'the gzip file is truncated; download it again'
      : `the gzip file is damaged (${error.message})`;
  if (error.code?.startsWith('Z_'))
    return new FerError('ERR_FER_DATA_FORMAT', `${path}: ${reason}`, { cause: error, details: { file: path, reason } });
  return error instanceof FerError ? error : new FerError('ERR_FER_DATA_FORMAT', `${path}: ${error.message}`, { cause: error });
}
