/** Memory, asked for before it is taken: Linux grants it readily and ends the process when it is used. */
import { freemem } from 'node:os';
import { FerError } from '../errors.js';

/** Left to everything else, bytes. */
const RESERVE = 64 << 20;

/** What this process may still use, bytes: of the machine's memory, or of its control group's where that is less. */
function available(): number {
  const limit = process.constrainedMemory() ?? 0; // 0, or beyond any machine, where there is none
  return Math.min(freemem(), limit > 0 ? limit - process.memoryUsage.rss() : Infinity) - RESERVE;
}

/**
 * Throws where `bytes` bytes are not there; `what` is what they are for.
 * @throws {FerError} ERR_FER_OUT_OF_MEMORY
 */
export function askMemory(bytes: number, what: string): void {
  const there = Math.max(0, available());
  if (bytes <= there) return;
  const mega = (count: number): string => `${Math.round(count / 1e6)} MB`;
  throw new FerError('ERR_FER_OUT_OF_MEMORY', `${what} needs ${mega(bytes)} of memory; ${mega(there)} are left`, {
    details: { needed: bytes, available: there },
  });
}
