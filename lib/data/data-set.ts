import { FerError } from '../errors.js';
import type { ClassMap, ClassOrder } from './class-names.js';

/** What decides how a data set becomes labels and splits, beside its files. */
export interface Reading {
  /**
   * What classes are called: whose numbers they are (`fer2013`, `rafdb`, `affectnet`, `ckplus`, `ferplus`), or by a class's name the name
   * that it is to have, null where its images are to be left out. Default: by their names, and numbers by which of them there are.
   */
  classes?: ClassOrder | ClassMap;
  /** How a data set without splits is divided into Training, PublicTest and PrivateTest, 8:1:1: by image, or whole subjects at a time. */
  splitBy?: 'random' | 'subject';
  /** Seed of that division. Default 0. */
  splitSeed?: number;
  /** Of several people's judgements of an image, the majority's, or all: see `LabelledImages.votes`. Default "majority". */
  votes?: 'majority' | 'soft';
}

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
  /**
   * [n, classes], where several people judged each image and all their votes count (`votes: 'soft'`): how many chose each class. Each
   * epoch of a training then draws its labels from them; `labels` are the majority's.
   */
  votes?: Uint8Array;
  /** Rows of each split; FER2013's names are Training, PublicTest and PrivateTest. */
  splits: Map<string, Uint32Array>;
  /** How it was read, where that was asked for: a resumed training reads it so again. */
  reading?: Reading;
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
