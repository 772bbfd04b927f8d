// Limits as containers have them: memory and processors by a control group of version 1 or 2, below this process's own where it can be.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Skip } from './outcome.mjs';

const PREFIX = 'fer-torture-';
const HOUR = 3_600_000;
const made = new Set();

/** What is written where, by version and controller. */
const FILES = {
  1: {
    memory: (bytes) => [['memory.limit_in_bytes', bytes]],
    cpu: (share) => [
      ['cpu.cfs_period_us', 100_000],
      ['cpu.cfs_quota_us', share * 100_000],
    ],
  },
  2: { memory: (bytes) => [['memory.max', bytes], ['memory.swap.max', 0]], cpu: (share) => [['cpu.max', `${share * 100_000} 100000`]] }, // prettier-ignore
};

/** Where a group for `controller` can be made: { version, parent }. */
function place(controller) {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')); // prettier-ignore
  const groups = readFileSync('/proc/self/cgroup', 'utf8').split('\n').map((line) => line.split(':')); // prettier-ignore
  const own = (name) => groups.find(([, controllers]) => controllers?.split(',').includes(name))?.[2] ?? '/';
  const first = mounts.find(([, , type, options]) => type === 'cgroup' && options.split(',').includes(controller));
  if (first) return { version: 1, parent: path.join(first[1], own(controller)) };
  const second = mounts.find(([, , type]) => type === 'cgroup2');
  if (!second) return undefined;
  // A group may have children under control only where it says so; the nearest one above us that does.
  for (let at = path.join(second[1], own('')); at.startsWith(second[1]); at = path.dirname(at)) {
    const handsDown = readFileSync(path.join(at, 'cgroup.subtree_control'), 'utf8').split(/\s+/).includes(controller);
    if (handsDown) return { version: 2, parent: at };
  }
  return undefined;
}

/**
 * A group that allows `limit`: bytes of memory, or a share of one processor. { wrap, remove }; `wrap` stands in front of a command.
 * Throws `Skip` where none can be made.
 */
export function controlGroup(controller, limit) {
  const found = place(controller);
  if (!found) throw new Skip(`no control group for ${controller} can be made here`);
  const { version, parent } = found;
  const folder = path.join(parent, `${PREFIX}${Date.now()}-${process.ppid}-${made.size}`);
  try {
    mkdirSync(folder);
    made.add(folder);
    for (const [file, value] of FILES[version][controller](limit)) writeFileSync(path.join(folder, file), String(value));
  } catch (error) {
    throw new Skip(`no control group for ${controller} can be made here (${error.code} in ${parent})`);
  }
  const wrap = ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder];
  return { wrap, remove: () => remove(folder) };
}

/** A group goes once the kernel has taken the last process out of it, which may be a moment after its end. */
function remove(folder) {
  for (let end = Date.now() + 2000; Date.now() < end; ) {
    try {
      rmdirSync(folder);
      made.delete(folder);
      return;
    } catch (error) {
      if (error.code === 'ENOENT') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** Everything that was made and not removed, and what a killed torture left an hour ago; another may be at work beside this one. */
export function removeControlGroups() {
  for (const folder of made) remove(folder);
  for (const controller of ['memory', 'cpu']) {
    const found = place(controller);
    if (!found) continue;
    const left = readdirSync(found.parent).filter((name) => name.startsWith(PREFIX) && Date.now() - Number(name.split('-')[2]) > HOUR);
    for (const name of left) remove(path.join(found.parent, name));
  }
}
