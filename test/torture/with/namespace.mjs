// A namespace of mounts and processes of our own: whatever is mounted or started in it ends with it, however it ends.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Skip } from './outcome.mjs';

const INSIDE = 'FER_TORTURE_NAMESPACE';
const WAYS = [
  ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ['--map-root-user', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/** Runs this program again inside of one, where one can be had, and returns its exit status; undefined inside, or where none can. */
export async function enterNamespace(program) {
  if (process.env[INSIDE]) return undefined;
  const works = (way) => spawnSync('unshare', [...way, 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' }).status === 0;
  const way = WAYS.find(works);
  if (!way) return undefined;
  const child = spawn('unshare', [...way, process.execPath, ...program], { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  // A Ctrl-C reaches the inside by itself, as it does everything at the terminal; what is sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
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
  if (!process.env[INSIDE]) throw new Skip('no file system can be mounted here: neither root nor user namespaces');
  mkdirSync(folder, { recursive: true });
  const made = mount('-t', 'tmpfs', '-o', `size=${bytes},mode=777`, 'fer-torture', folder);
  if (made.status !== 0) throw new Skip(`no file system can be mounted here: ${made.stderr.trim()}`);
  return {
    folder,
    resize: (size) => mount('-o', `remount,size=${size}`, folder).status === 0,
    /** False while a file is open for writing. */
    readOnly: (on) => mount('-o', `remount,${on ? 'ro' : 'rw'}`, folder).status === 0,
    remove: () => void spawnSync('umount', ['--lazy', folder]),
  };
}

/** In front of a command: the root file system read-only for it. */
export const READ_ONLY_ROOT = ['unshare', '--mount', 'sh', '-c', 'mount -o remount,bind,ro / && exec "$@"', 'sh'];

/** In front of a command: as a user without rights of root, `uid` where root can choose. */
export function ordinaryUser(uid = 65534) {
  if (isRoot()) return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return process.getuid() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];
}
