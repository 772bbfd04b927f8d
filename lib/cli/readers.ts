/**
 * Who reads what a command prints may go away, as `head` does once it has seen enough. Remarks are then written to nobody, and a result
 * that nobody reads ends the command; but not while there is work that leaves something, as a training.
 */
import { note } from './output.js';

let atWork = 0;

/** Does work that is worth doing although nobody reads of it. */
export async function withoutReader<T>(work: () => Promise<T>): Promise<T> {
  atWork++;
  try {
    return await work();
  } finally {
    atWork--;
  }
}

export function watchReaders(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (atWork > 0) return;
    if (code === 'EPIPE') process.exit(0);
    note(`fer-cudnn: standard output cannot be written: ${message} [ERR_FER_WRITE]`);
    process.exit(1);
  });
}
