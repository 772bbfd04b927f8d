import { FerError } from '../errors.js';

/** What every data source becomes: grey square images, labels, and named splits. */
export interface LabelledImages {
  /** Short name of the format, such as "FER2013 CSV". */
  name: string;
  /** Path it came from, or "synthetic faces". */
  source: string;
  /** Whether the images were drawn by this package: figures on them say nothing about real faces. */
  synthetic: boolean;
  /** Names of the classes, at most 256, at the places that `labels` point to. */
  classes: string[];
  /** Height and width of every image, pixels. */
  size: number;
  /** [n, size, size], 0..255. */
  images: Uint8Array;
  /** [n], indices into `classes`. */
  labels: Uint8Array;
  /** Rows of each split; FER2013's names are Training, PublicTest and PrivateTest. */
  splits: Map<string, Uint32Array>;
  /** Facts worth printing, one line each. */
  notes: string[];
  /** Rows left out on request (`skipBadRows`). */
  badRows: {
    /** One-based: line of a CSV, row of a Parquet file, place among the pictures of a folder. */
    line: number;
    /** What is wrong with it. */
    reason: string;
  }[];
}

/** FER2013's classes in the order of its labels 0 to 6. */
export const FER_CLASSES = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];

/** Labels are bytes. */
export const MOST_CLASSES = 256;

/** @throws {FerError} ERR_FER_DATA_FORMAT where `source` has more classes than a label can name. */
export function checkClassCount(source: string, count: number): void {
  if (count <= MOST_CLASSES) return;
  throw new FerError('ERR_FER_DATA_FORMAT', `${source} has ${count} classes; expected at most ${MOST_CLASSES}`, {
    details: { file: source },
  });
}

/** Groups rows by the index of their split. */
export function rowsBySplit(names: readonly string[], splitOfRow: Uint8Array): Map<string, Uint32Array> {
  const rows = names.map((): number[] => []);
  splitOfRow.forEach((split, row) => rows[split].push(row));
  return new Map(names.map((name, i): [string, Uint32Array] => [name, Uint32Array.from(rows[i])]).filter(([, list]) => list.length > 0));
}
