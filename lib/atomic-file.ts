/** Files that are whole or absent: written beside their place, flushed, then renamed over it. */
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { warnOnce } from './warning.js';

export async function writeFileAtomic(file: string, ...parts: (string | Uint8Array)[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
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
    await rm(temporary, { force: true });
    throw error;
  }
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
