/** The registry of data-set forms: adding one takes its own file and one line here. The first that matches reads. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FerError } from '../errors.js';
import { notRegular } from '../regular-file.js';
import { compact } from './compact.js';
import { adviceOn, headOfFile } from './content.js';
import type { LabelledImages } from './data-set.js';
import { fer2013Csv } from './fer2013-csv.js';
import { imageFolders } from './folders.js';
import type { DataForm, LoadOptions } from './form.js';
import { parquet } from './parquet.js';
import { syntheticFacesInSlices } from './synthetic.js';

export const FORMS: readonly DataForm[] = [fer2013Csv, imageFolders, parquet, compact];

/**
 * Loads a data set; `path` undefined gives the synthetic faces.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND or ERR_FER_DATA_FORMAT.
 */
export async function loadDataSet(path: string | undefined, options: LoadOptions = {}): Promise<LabelledImages> {
  if (path === undefined) return syntheticFacesInSlices({ size: options.size, seed: options.seed });
  const stats = await statOf(path);
  const head = stats.isFile() ? await headOfFile(path) : Buffer.alloc(0);
  const form = await formOf(path, stats, head);
  if (options.cache === false || options.skipBadRows || !stats.isFile()) return form.read(path, options);
  const { cachePath, readCache, writeCache } = await import('./cache.js');
  const packed = await cachePath(path, { size: options.size ?? 48 });
  const cached = packed && (await readCache(packed));
  if (cached) return cached;
  const data = await form.read(path, options);
  if (packed) await writeCache(packed, data);
  return data;
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
