/** Long loops in JavaScript, in slices that leave the event loop to others between them. */

/** How long others may have to wait, milliseconds. */
const SLICE = 6;

/** A function to await in a loop: now and then, when a slice is over, it lets timers and requests go first. */
export function pacer(): () => Promise<void> | undefined {
  let end = performance.now() + SLICE;
  return () => {
    if (performance.now() < end) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        end = performance.now() + SLICE;
        resolve();
      }),
    );
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
