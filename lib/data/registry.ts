/** The registry of data-set forms: adding one takes its own file and one line here. The first that matches reads. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FerError } from '../errors.js';
import { notRegular } from '../regular-file.js';
import { affectNet } from './affectnet.js';
import { classFolders } from './class-folders.js';
import { renameClasses } from './class-map.js';
import { isClassOrder } from './class-names.js';
import { compact } from './compact.js';
import { adviceOn, headOfFile } from './content.js';
import type { LabelledImages } from './data-set.js';
import { fer2013Csv } from './fer2013-csv.js';
import { ferPlus } from './ferplus.js';
import { imageFolders } from './folders.js';
import { divided } from './division.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { parquet } from './parquet.js';
import { rafDb } from './rafdb.js';
import { syntheticFacesInSlices } from './synthetic.js';

export const FORMS: readonly DataForm[] = [fer2013Csv, ferPlus, rafDb, affectNet, imageFolders, classFolders, parquet, compact];

/**
 * Loads a data set; `path` undefined gives the synthetic faces.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND or ERR_FER_DATA_FORMAT; ERR_FER_ARGUMENT for classes or a division that do not fit it.
 */
export async function loadDataSet(path: string | undefined, options: LoadOptions = {}): Promise<LabelledImages> {
  const { classes, splitBy, splitSeed, votes } = options;
  const { subjects, ...read } = path === undefined ? await synthetic(options) : await fileOrFolder(path, options);
  let data: LabelledImages = splitBy ? divided(read, splitBy, splitSeed ?? 0, subjects) : read;
  if (data.splits.size === 1 && data.splits.has('Training'))
    data = { ...data, notes: [...data.notes, `all of it is Training: --split-by ${subjects ? 'subject or ' : ''}random divides it`] };
  if (typeof classes === 'object') data = renameClasses(data, classes);
  const asked = Object.fromEntries(Object.entries({ classes, splitBy, splitSeed, votes }).filter(([, value]) => value !== undefined));
  return Object.keys(asked).length > 0 ? { ...data, reading: asked } : data;
}

const synthetic = ({ size, seed }: LoadOptions): Promise<Read> => syntheticFacesInSlices({ size, seed });

async function fileOrFolder(path: string, options: LoadOptions): Promise<Read> {
  const stats = await statOf(path);
  const head = stats.isFile() ? await headOfFile(path) : Buffer.alloc(0);
  const form = await formOf(path, stats, head);
  // What is not in a data set's own bytes is not in its copy either: votes, subjects, and what two files say together.
  if (options.cache === false || options.skipBadRows || !stats.isFile() || form.unpacked) return form.read(path, options);
  const { cachePath, readCache, writeCache } = await import('./cache.js');
  const order = isClassOrder(options.classes) ? { classes: options.classes } : {};
  const packed = await cachePath(path, { size: options.size ?? 48, ...order });
  const cached = packed && (await readCache(packed));
  if (cached) return cached;
  const data = await form.read(path, options);
  if (packed) await writeCache(packed, data);
  return data;
}

/**
 * Whether a packed copy is kept of what lies at `path`: of one file that holds all of a data set.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_DATA_FORMAT
 */
export async function isPacked(path: string): Promise<boolean> {
  const stats = await statOf(path);
  return stats.isFile() && !(await formOf(path, stats, await headOfFile(path))).unpacked;
}

async function statOf(path: string): Promise<Stats> {
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${path} does not exist or cannot be read`, { cause, details: { file: path } });
  }
  if (!stats.isFile() && !stats.isDirectory()) throw notRegular(path, path, stats);
  return stats;
}

async function formOf(path: string, stats: Stats, head: Buffer): Promise<DataForm> {
  for (const form of FORMS) if (await form.matches(path, stats, head)) return form;
  const known = FORMS.map(({ describe }) => describe).join('; ');
  const advice = adviceOn(head) ?? (stats.isFile() && head.length === 0 ? 'is empty' : undefined);
  const reason = `${advice ? `${advice}. It ` : ''}is no data set this program knows; it reads ${known}`;
  throw new FerError('ERR_FER_DATA_FORMAT', `${path} ${reason}`, { details: { file: path, reason } });
}
