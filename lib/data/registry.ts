/** The registry of data-set forms: adding one takes its own file and one entry here. */
import { readdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { FerError } from '../errors.js';
import { cachePath, readCache, writeCache } from './cache.js';
import { readCompact } from './compact.js';
import type { LabelledImages } from './data-set.js';
import { readFer2013Csv } from './fer2013-csv.js';
import { readImageFolders, splitFolders } from './folders.js';
import { readParquet } from './parquet.js';
import { syntheticFaces } from './synthetic.js';

export interface LoadOptions {
  /** Side that pictures of any size are brought to, pixels; a CSV keeps its own. Default 48. */
  size?: number;
  /** Count and list malformed rows instead of stopping at the first. Default false. */
  skipBadRows?: boolean;
  /** Keep and use a packed copy in the user's cache folder. Default true. */
  cache?: boolean;
  /** Seed of the synthetic faces. Default 0. */
  seed?: number;
}

interface Form {
  describe: string;
  matches(path: string, stats: Stats): boolean | Promise<boolean>;
  read(path: string, options: LoadOptions): Promise<LabelledImages>;
}

const FORMS: Form[] = [
  { describe: 'FER2013 as .csv or .csv.gz', matches: (path, stats) => stats.isFile() && /\.csv(\.gz)?$/i.test(path), read: readFer2013Csv },
  { describe: 'the compact form, .fer', matches: (path, stats) => stats.isFile() && path.endsWith('.fer'), read: readCompact },
  {
    describe: '.parquet, or a folder of them',
    matches: async (path, stats) =>
      stats.isFile() ? path.endsWith('.parquet') : (await readdir(path)).some((name) => name.endsWith('.parquet')),
    read: readParquet,
  },
  {
    describe: 'a folder with train/ and test/ (and perhaps validation/), each with a folder a class',
    matches: async (path, stats) => stats.isDirectory() && (await splitFolders(path)).length > 0,
    read: readImageFolders,
  },
];

/**
 * Loads a data set; `path` undefined gives the synthetic faces.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND or ERR_FER_DATA_FORMAT.
 */
export async function loadDataSet(path: string | undefined, options: LoadOptions = {}): Promise<LabelledImages> {
  if (path === undefined) return syntheticFaces({ size: options.size, seed: options.seed });
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${path} does not exist or cannot be read`, { cause, details: { file: path } });
  }
  for (const form of FORMS) {
    if (!(await form.matches(path, stats))) continue;
    if (options.cache === false || options.skipBadRows || !stats.isFile()) return form.read(path, options);
    const packed = await cachePath(path, { size: options.size ?? 48 });
    const cached = await readCache(packed);
    if (cached) return cached;
    const data = await form.read(path, options);
    await writeCache(packed, data);
    return data;
  }
  throw new FerError(
    'ERR_FER_DATA_FORMAT',
    `${path} is no data set this program knows; it reads ${FORMS.map((form) => form.describe).join('; ')}`,
    {
      details: { file: path },
    },
  );
}
