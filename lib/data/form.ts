/** What a form of data sets is: one file a form, listed in `registry.ts`. Heavy readers load when a data set is read. */
import type { Stats } from 'node:fs';
import type { LabelledImages, Reading } from './data-set.js';

/** How a data set is read. */
export interface LoadOptions extends Reading {
  /** Side that pictures of any size are brought to, pixels; a CSV keeps its own. Default 48. */
  size?: number;
  /** Count and list malformed rows instead of stopping at the first. Default false. */
  skipBadRows?: boolean;
  /** Keep and use a packed copy in the user's cache folder. Default true. */
  cache?: boolean;
  /** Seed of the synthetic faces. Default 0. */
  seed?: number;
}

export interface DataForm {
  /** In a sentence: "it reads FER2013 as .csv or .csv.gz". */
  describe: string;
  /** For lists: what it looks like on disk, and what that is. */
  looks: readonly (readonly [name: string, what: string])[];
  /** `head`: the first bytes of a file, 512 or fewer; empty of a folder. */
  matches(path: string, stats: Stats, head: Buffer): boolean | Promise<boolean>;
  /** Whether no packed copy is to be kept of its files. */
  unpacked?: boolean;
  /** @throws {FerError} ERR_FER_DATA_FORMAT, ERR_FER_DATA_NOT_FOUND */
  read(path: string, options: LoadOptions): Promise<Read>;
}

/** A data set as its reader gives it. */
export type Read = LabelledImages & {
  /** Who is on each image, where the files say so: for a division by subject. */
  subjects?: readonly string[];
};
