/** Every file that the package reads is opened here: a FIFO would wait for ever, a device never end. */
import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { FerError } from './errors.js';

/** An open regular file, and what `stat` says of it. Close the handle. */
export interface RegularFile {
  handle: FileHandle;
  stats: Stats;
}

const KINDS = [
  ['isDirectory', 'a folder'],
  ['isFIFO', 'a FIFO'],
  ['isSocket', 'a socket'],
  ['isCharacterDevice', 'a device'],
  ['isBlockDevice', 'a device'],
] as const;

/** "a FIFO", for errors. */
export const kindOf = (stats: Stats): string => KINDS.find(([is]) => stats[is]())?.[1] ?? 'something else';

/**
 * Opens `file` for reading; `name` is what an error calls it.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND where it is absent, out of reach or no regular file.
 */
export async function openRegular(file: string, name = file): Promise<RegularFile> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a FIFO waits for a writer. On regular files it means nothing.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) throw notRegular(file, name, stats);
    return { handle, stats };
  } catch (cause) {
    await handle?.close();
    if (cause instanceof FerError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    // What opening a socket answers, and a device without a driver.
    const why = code === 'ENXIO' ? 'expected a regular file, got a socket or a device' : (code ?? message);
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${name} cannot be read: ${why}`, { cause, details: { file } });
  }
}

/** The error for what is there but no regular file. */
export const notRegular = (file: string, name: string, stats: Stats): FerError =>
  new FerError('ERR_FER_DATA_NOT_FOUND', `${name} cannot be read: expected a regular file, got ${kindOf(stats)}`, { details: { file } });

/**
 * All of a file's bytes; `most` bounds them, for forms that are never so large.
 * @throws {FerError} as `openRegular`; ERR_FER_DATA_FORMAT for a file larger than `most` bytes.
 */
export async function readRegular(file: string, { name = file, most = Infinity }: { name?: string; most?: number } = {}): Promise<Buffer> {
  const { handle, stats } = await openRegular(file, name);
  try {
    if (stats.size > most)
      throw new FerError('ERR_FER_DATA_FORMAT', `${name} has ${stats.size} bytes; expected at most ${most}`, { details: { file } });
    return await handle.readFile();
  } catch (cause) {
    if (cause instanceof FerError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${name} cannot be read: ${code ?? message}`, { cause, details: { file } });
  } finally {
    await handle.close();
  }
}
