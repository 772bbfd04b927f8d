// What this process holds, as Linux counts it.
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MIB = 2 ** 20;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** The kernel's line of /proc/self/status: "VmRSS:   12345 kB". */
function status(text, key) {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)[1]);
}

/** Collects what nobody holds any more, with what its finalizers let go. */
export async function collect() {
  for (let i = 0; i < 2; i++) {
    gc();
    await setImmediate();
  }
}

/** The threads that libvips keeps for its next pictures come and go with the load, up to a number of its own: they are none of ours. */
const FOREIGN = 'libvips worker';

function threads() {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim() !== FOREIGN;
    } catch {
      return false; // it has just ended
    }
  }).length;
}

/** Resident, peak, V8's and foreign memory in MiB; open files; threads but for libvips's. */
export function processNow() {
  const text = readFileSync('/proc/self/status', 'utf8');
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return {
    rss: status(text, 'VmRSS') / 1024,
    peak: status(text, 'VmHWM') / 1024,
    heapUsed: heapUsed / MIB,
    heapTotal: heapTotal / MIB,
    external: external / MIB,
    arrayBuffers: arrayBuffers / MIB,
    files: readdirSync('/proc/self/fd').length - 1, // one of them is this very look
    threads: threads(),
  };
}
