/** Decoded data sets on disk, so that the second start reads 83 MB instead of parsing 301. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import type { LabelledImages } from './data-set.js';
import { packedParts, unpack } from './packed.js';

const VERSION = 1;

/** Where the package keeps what it can make again: FER_CACHE_DIR, or fer-cudnn in the user's cache folder; as the native core has it. */
const cacheFolder = (): string =>
  process.env.FER_CACHE_DIR || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'fer-cudnn');

/** Where the packed copy of `source` lies; it changes whenever the file or the options do. */
export async function cachePath(source: string, options: Record<string, unknown>): Promise<string> {
  const { size, mtimeMs } = await stat(source);
  const key = JSON.stringify([VERSION, path.resolve(source), size, mtimeMs, options]);
  return path.join(cacheFolder(), `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.pack`);
}

/** The packed data set, or undefined where there is none or it is damaged. */
export async function readCache(file: string): Promise<LabelledImages | undefined> {
  try {
    return unpack(await readFile(file));
  } catch {
    return undefined;
  }
}

/** Packs a data set; a full or read-only disk only costs the next start its speed. */
export async function writeCache(file: string, data: LabelledImages): Promise<void> {
  try {
    await writeFileAtomic(file, ...packedParts(data));
  } catch {
    // See above.
  }
}
