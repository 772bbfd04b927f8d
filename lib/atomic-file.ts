/** Files that are whole or absent: written beside their place, flushed, then renamed over it. And why something cannot be written. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from './errors.js';
import { warnOnce } from './warning.js';

/** Ends the name of a file that is being written; one that is left is of a process that was killed. */
const TEMPORARY = /\.\d+-[\da-f]{8}\.tmp$/;
export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

/** A name beside `file` that no other write has, in this process or another. */
export const temporaryName = (file: string): string => `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;

/** @throws {FerError} ERR_FER_WRITE; then what was there before still is. */
export async function writeFileAtomic(file: string, ...parts: (string | Uint8Array)[]): Promise<void> {
  await makeFolder(path.dirname(file));
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'w');
    try {
      for (const part of parts) await handle.writeFile(part);
      await flush(handle, file);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    // Whatever hinders this too, the first error says why.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(file, error);
  }
}

/** @throws {FerError} ERR_FER_WRITE */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, (error as NodeJS.ErrnoException).code === 'ENOENT' ? await whyNot(path.resolve(folder), error) : error);
  }
}

/** Node tells ENOENT of a folder with its parents whatever hinders it; the first one that is missing, made alone, tells. */
async function whyNot(folder: string, told: unknown): Promise<unknown> {
  const parent = path.dirname(folder);
  if (parent !== folder && !(await stat(parent).catch(() => undefined))) return whyNot(parent, told);
  return mkdir(folder).then(
    () => told,
    (error: unknown) => error,
  );
}

/** What a system's code means for who wanted to write, and what they can do. */
const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'free some space there, or choose another folder'],
  EDQUOT: ['the quota is used up', 'free some space there, or choose another folder'],
  EROFS: ['the file system is read-only', 'choose another folder'],
  EACCES: ['it is not permitted', 'choose another folder, or change its permissions'],
  EPERM: ['it is not permitted', 'choose another folder, or change its permissions'],
  EMFILE: ['this process has too many files open', 'raise the limit: ulimit -n'],
  ENFILE: ['the system has too many files open', 'try again later'],
  EFBIG: ['the file would be larger than is allowed', 'raise the limit: ulimit -f'],
  EISDIR: ['there is a folder of that name', 'choose another name'],
  ENOTEMPTY: ['there is a folder of that name', 'choose another name'],
  EEXIST: ['there is a file of that name', 'choose another name'],
  ENOTDIR: ['a part of its path is a file', 'choose another folder'],
  ENOENT: ['its folder has gone', 'choose another folder'],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter one'],
  EIO: ['the disk reports an error', 'choose another disk'],
};

/** The error of a system's call that was to write `place`, in words; an error of another kind stays what it is. */
export function writeError(place: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof FerError || !(cause instanceof Error) || code === undefined || !('errno' in cause)) return cause;
  const [reason, remedy] = Object.hasOwn(REASONS, code) ? REASONS[code] : [cause.message, 'choose another place'];
  return new FerError('ERR_FER_WRITE', `${place} cannot be written: ${reason} (${code}); ${remedy}`, {
    cause,
    details: { file: place, reason: code },
  });
}

/** What file systems that cannot flush answer: some network mounts, FUSE file systems and sandboxes. Yarn's Plug'n'Play gives no code. */
const CANNOT = [undefined, 'ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

async function flush(handle: FileHandle, file: string): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!CANNOT.includes(code)) throw error;
    warnOnce(
      `the file system of ${path.dirname(path.resolve(file))} cannot flush (${code ?? message}): a power cut may cost what was written last`,
    );
  }
}
