// Whether a measurement had the machine to itself: the load before it, and what others took of the processors meanwhile.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

const LOAD_BEFORE = 0.3; // of the minute before
const OTHERS = 0.05; // of all processors' time

/** Clock ticks since the start: all processors' and how much of it was busy; this process's with its children's that have ended. */
function ticks() {
  const all = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1, 9).map(Number);
  const total = all.reduce((sum, n) => sum + n);
  const own = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ').slice(11, 15).map(Number);
  const [IDLE, WAITING] = [3, 4];
  return { total, busy: total - all[IDLE] - all[WAITING], own: own.reduce((sum, n) => sum + n) };
}

/**
 * Begins to watch. The function returned says what was seen: { before, after, others, quiet, why }, `others` being the share of all
 * processors' time that other processes and, where the machine is a guest, other guests (steal) took.
 */
export function watch() {
  const before = loadavg()[0];
  const start = ticks();
  return () => {
    const end = ticks();
    const passed = end.total - start.total;
    const others = passed > 0 ? Math.max(0, (end.busy - start.busy - (end.own - start.own)) / passed) : 0;
    const why = [
      ...(before < LOAD_BEFORE ? [] : [`a load of ${before.toFixed(2)} before`]),
      ...(others < OTHERS ? [] : [`others took ${(100 * others).toFixed(0)} % of the processors meanwhile`]),
    ].join('; ');
    return { before, after: loadavg()[0], others, quiet: why === '', why };
  };
}
