/** Long loops in JavaScript, in slices that leave the event loop to others between them. */

/** How long others may have to wait for all such loops together, milliseconds; and for the beginning of one while others rest. */
const SLICE = 2;
const BEGINNING = 1;

/** Loops that rest. One goes on in each turn of the event loop, so that several hold it up no longer than one does. */
const resting: (() => void)[] = [];

function wakeOne(): void {
  resting.shift()?.();
  if (resting.length > 0) setImmediate(wakeOne);
}

/** A function to await in a loop: now and then, when a slice is over, it lets timers, requests and other loops go first. */
export function pacer(): () => Promise<void> | undefined {
  let end = performance.now() + (resting.length === 0 ? SLICE : BEGINNING);
  return () => {
    if (performance.now() < end) return undefined;
    return new Promise((resolve) => {
      resting.push(() => {
        end = performance.now() + SLICE;
        resolve();
      });
      if (resting.length === 1) setImmediate(wakeOne);
    });
  };
}

/** Runs a loop that yields where it may rest: some microseconds to a millisecond apart. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  const rest = pacer();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    const pause = rest();
    if (pause) await pause;
  }
}

/** The same in one go, for functions that promise nothing. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Bytes that a checksum takes about a millisecond for. */
export const PIECE = 1 << 19;

/** All parts, one after another, in views of that many bytes at most. */
export function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) for (let at = 0; at < part.length; at += PIECE) yield part.subarray(at, at + PIECE);
}
