/**
 * One process at a time: a file that says who holds it.
 *
 * It appears with its words in it (a link to a file already written), so that nobody reads half of them. A holder that has died, which
 * its process id, start and boot tell on its own host, is replaced by whoever holds the lock of replacing, and looks again then: of many
 * who found it dead one alone goes on. Who died while replacing is replaced in the same way. A holder on another host or in another
 * container, whose process cannot be seen, shows by the file's time that it lives.
 */
import { link, open, readdir, readFile, readlink, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { temporaryName, writeError } from './atomic-file.js';
import { FerError } from './errors.js';
import { isObject } from './json.js';

/** A process, such that no other one, at no other time, is the same. */
export interface Owner {
  pid: number;
  host: string;
  /** Of the host, since it was started. */
  boot: string;
  /** What process ids are counted in: a container has its own. */
  space: string;
  /** Clock ticks of the host from its boot to the process's start. */
  started: string;
}

/** Milliseconds between signs of life of a holder, and after how many without one it counts as ended where its process cannot be seen. */
const BEAT = 30_000;
const SILENCE = 300_000;

/** How often, and how many milliseconds apart, is looked again at what another process is about to finish. */
const PATIENCE = { tries: 100, wait: 20 };

export class Lock {
  /** For those on other hosts and in other containers: the file's time. */
  private readonly beat: NodeJS.Timeout;

  private constructor(
    private readonly file: string,
    private readonly text: string,
    /** Held open, as long as the thread lives that took it: see `hasOpen`. */
    private readonly handle: FileHandle,
  ) {
    const show = (): void => void handle.utimes(new Date(), new Date()).catch(() => undefined);
    this.beat = setInterval(show, BEAT).unref();
  }

  /**
   * Takes the lock, or says who holds it.
   * @throws {FerError} ERR_FER_WRITE
   */
  static async take(file: string): Promise<Lock | Owner> {
    const mine = temporaryName(file);
    // The name is no other lock's, in this process or another.
    const text = `${JSON.stringify({ ...(await self()), token: mine.slice(file.length) })}\n`;
    let draft: Draft | undefined;
    try {
      draft = await Draft.write(mine, text);
      for (let tries = 1; ; tries++) {
        if (await draft.putTo(file)) return new Lock(file, text, draft.keep());
        const holder = await holderOf(file);
        if (holder) return holder;
        const replacing = await Lock.take(`${file}.next`);
        if (replacing instanceof Lock)
          try {
            const now = await ownerOf(file);
            if (now === 'none') continue;
            if (now !== 'nobody' && (await lives(now, file))) return now;
            await rename(mine, file);
            return new Lock(file, text, draft.keep());
          } finally {
            await replacing.release();
          }
        else if (tries === PATIENCE.tries) return replacing;
        await wait(PATIENCE.wait);
      }
    } catch (error) {
      throw writeError(file, error);
    } finally {
      await draft?.close();
      await removed(mine);
    }
  }

  /** Gives it back; a lock that is no longer ours, because someone removed it, stays, as one that cannot be removed does: its holder is dead soon. */
  async release(): Promise<void> {
    clearInterval(this.beat);
    if ((await readFile(this.file, 'utf8').catch(() => '')) === this.text) await removed(this.file);
    await this.handle.close();
  }
}

/** Who holds a lock, if anyone alive does. */
export async function holderOf(file: string): Promise<Owner | undefined> {
  const owner = await ownerOf(file);
  return typeof owner === 'object' && (await lives(owner, file)) ? owner : undefined;
}

/**
 * Does something short alone; who else does the same is waited for.
 * @throws {FerError} ERR_FER_CHECKPOINT where that takes seconds.
 */
export async function alone<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const lock = await Lock.take(file);
    if (lock instanceof Lock)
      try {
        return await work();
      } finally {
        await lock.release();
      }
    if (tries === PATIENCE.tries) throw await heldBy(lock, file, what);
    await wait(PATIENCE.wait);
  }
}

/** The error of who finds `what` locked. */
export async function heldBy(owner: Owner, file: string, what: string): Promise<FerError> {
  const me = await self();
  const far = owner.host !== me.host ? 'another host' : owner.space !== me.space ? 'another container' : undefined;
  const advice = far
    ? `on ${far}, where it showed itself within the last ${SILENCE / 60_000} minutes; if it has ended since, wait as long, or remove ${file}`
    : 'wait for its end, or choose another folder';
  const who = owner.pid === me.pid && !far ? 'this process' : 'process';
  return new FerError('ERR_FER_CHECKPOINT', `${what} is in use by ${who} ${owner.pid} of ${owner.host}${far ? ', ' : '; '}${advice}`, {
    details: { file, pid: owner.pid, host: owner.host },
  });
}

/** Whatever hinders it hinders more than this, and is told there. */
const removed = (file: string): Promise<void> => rm(file, { force: true }).catch(() => undefined);

/** A lock before it is in its place, open from its beginning: whoever finds it there finds it open (`hasOpen`). */
class Draft {
  private kept = false;

  private constructor(
    private readonly name: string,
    private readonly text: string,
    private handle: FileHandle,
  ) {}

  static async write(name: string, text: string): Promise<Draft> {
    return new Draft(name, text, await written(name, text));
  }

  /** Puts it in its place, if nothing is there. Who works in the folder may take it for a leftover before: it is written again. */
  async putTo(file: string): Promise<boolean> {
    for (let tries = 1; ; tries++)
      try {
        await link(this.name, file);
        return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EEXIST') return false;
        if (NO_LINKS.includes(code)) break;
        if (code !== 'ENOENT' || tries === PATIENCE.tries) throw error;
        await this.replaceBy(await written(this.name, this.text));
      }
    try {
      await this.replaceBy(await written(file, this.text));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** The open file, which is the caller's from now on. */
  keep(): FileHandle {
    this.kept = true;
    return this.handle;
  }

  async close(): Promise<void> {
    if (!this.kept) await this.handle.close();
  }

  private async replaceBy(handle: FileHandle): Promise<void> {
    await this.handle.close();
    this.handle = handle;
  }
}

/** A new file, open. */
async function written(file: string, text: string): Promise<FileHandle> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What file systems without hard links answer. */
const NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', undefined];

/** Who a lock names; "nobody" where it is damaged, even after a moment in which it may have been written. */
async function ownerOf(file: string): Promise<Owner | 'nobody' | 'none'> {
  for (let tries = 0; tries < 10; tries++) {
    try {
      const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
      const { pid, host, boot, space, started } = isObject(owner) ? owner : {};
      if (Number.isInteger(pid) && [host, boot, space, started].every((each) => typeof each === 'string')) return owner as Owner;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
      if (!(error instanceof SyntaxError)) throw error;
    }
    await wait(PATIENCE.wait);
  }
  return 'nobody';
}

async function lives(owner: Owner, file: string): Promise<boolean> {
  const { host, boot, space } = await self();
  const elsewhere = owner.host !== host || (owner.boot === boot && owner.space !== space);
  if (elsewhere) return Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0) < SILENCE;
  if (owner.boot !== boot) return false;
  if ((await startOf(owner.pid)) !== owner.started) return false;
  // A worker thread may have been ended while this process goes on.
  return owner.pid !== process.pid || hasOpen(file);
}

/** Whether this process has the file open. */
async function hasOpen(file: string): Promise<boolean> {
  const wanted = await stat(file).catch(() => undefined);
  const descriptors = await readdir('/proc/self/fd').catch(() => undefined);
  if (!wanted || !descriptors) return true;
  for (const descriptor of descriptors) {
    const { dev, ino } = await stat(`/proc/self/fd/${descriptor}`).catch(() => ({ dev: -1, ino: -1 }));
    if (dev === wanted.dev && ino === wanted.ino) return true;
  }
  return false;
}

let own: Promise<Owner> | undefined;

function self(): Promise<Owner> {
  own ??= (async () => ({
    pid: process.pid,
    host: hostname(),
    boot: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim(),
    space: await readlink('/proc/self/ns/pid').catch(() => ''),
    started: (await startOf(process.pid)) ?? '',
  }))();
  return own;
}

/** The 22nd field of /proc/<pid>/stat; the second, in brackets, may hold spaces and brackets. Undefined: there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    // A zombie runs no more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
