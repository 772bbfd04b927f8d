// A namespace of mounts and processes of our own: whatever is mounted or started in it ends with it, however it ends.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Skip } from './outcome.mjs';

const INSIDE = 'FER_TORTURE_NAMESPACE';
const NO_MOUNTS = 'no file system can be mounted here: neither root nor user namespaces';
const WAYS = [
  ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ['--map-root-user', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/**
 * Runs this program again inside of one, where one can be had, and returns its exit status; undefined inside, or where none can. Inside,
 * `stop` is called when the program outside is told to end, or is gone.
 */
export async function enterNamespace(program, stop) {
  if (process.env[INSIDE]) {
    // unshare keeps signals from us: the outside tells of them.
    process.on('message', stop).on('disconnect', stop);
    process.channel?.unref();
    return undefined;
  }
  const works = (way) => spawnSync('unshare', [...way, 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' }).status === 0;
  const way = WAYS.find(works);
  if (!way) return undefined;
  const child = spawn('unshare', [...way, process.execPath, ...program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [INSIDE]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.connected && child.send(signal));
  return new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
}

/** Whether this is the machine's root, not one of a user namespace. */
export const isRoot = () => process.getuid() === 0 && !/^\s*0\s+[1-9]/.test(mapping());

function mapping() {
  return spawnSync('cat', ['/proc/self/uid_map'], { encoding: 'utf8' }).stdout;
}

function mount(...args) {
  return spawnSync('mount', args, { encoding: 'utf8' });
}

/** A file system in memory of `bytes`; { folder, resize, readOnly, remove }. Needs root or a user namespace. */
export function smallDisk(folder, bytes) {
  if (!process.env[INSIDE]) throw new Skip(NO_MOUNTS);
  mkdirSync(folder, { recursive: true });
  // Named in full each time: else mount takes the disk's present options, and an owner that a user namespace does not know is refused.
  const tmpfs = (options) => mount('-t', 'tmpfs', '-o', options, 'fer-torture', folder);
  const made = tmpfs(`size=${bytes},mode=777`);
  if (made.status !== 0) throw new Skip(`no file system can be mounted here: ${made.stderr.trim()}`);
  return {
    folder,
    resize: (size) => tmpfs(`remount,size=${size}`).status === 0,
    /** False while a file is open for writing. */
    readOnly: (on) => tmpfs(`remount,${on ? 'ro' : 'rw'}`).status === 0,
    remove: () => void spawnSync('umount', ['--lazy', folder]),
  };
}

/** In front of a command: the root file system read-only for it. Needs root or a user namespace. */
export function readOnlyRoot() {
  if (!process.env[INSIDE]) throw new Skip(NO_MOUNTS);
  return ['unshare', '--mount', 'sh', '-c', 'mount -o remount,bind,ro / && exec "$@"', 'sh'];
}

/** In front of a command: as a user without rights of root, `uid` where root can choose. */
export function ordinaryUser(uid = 65534) {
  if (isRoot()) return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return process.getuid() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];
}
