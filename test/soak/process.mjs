// What this process holds, as Linux counts it.
import { readdirSync, readFileSync } from 'node:fs';

const MIB = 2 ** 20;

/** The kernel's line of /proc/self/status: "VmRSS:   12345 kB" or "Threads:  11". */
function status(text, key) {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)[1]);
}

/** Resident, peak, V8's and foreign memory in MiB; open files; threads. */
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
    threads: status(text, 'Threads'),
  };
}
