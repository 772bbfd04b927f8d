// When a blow falls: at some time of a program's life, or as its folder changes for the nth time, which is within its writing.
import { watch } from 'node:fs';

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Waits for a moment drawn by `random` in the life of `program`, which takes `seconds` undisturbed, and changes `folder` (there already)
 * `events` times. Every other blow is tied to a change. Returns the moment in words; the program may have ended before it.
 */
export async function moment(program, random, { seconds, folder, events = 0 }) {
  const ended = program.exited.then(() => 'after its end');
  if (events > 0 && random() < 0.5) {
    const nth = 1 + Math.floor(random() * events);
    const delay = random() < 0.5 ? 0 : random() * 3;
    let seen = 0;
    let watcher;
    const reached = new Promise((resolve) => (watcher = watch(folder, () => ++seen === nth && resolve())));
    const met = await Promise.race([reached, ended]);
    watcher.close();
    if (met) return met;
    if (delay > 0) await later(delay);
    return `change ${nth} of its folder, ${delay.toFixed(1)} ms later`;
  }
  const at = random() * seconds;
  return (await Promise.race([later(at * 1000), ended])) ?? `${at.toFixed(2)} s`;
}
