/** Ctrl-C: once asks the work to finish its step and save; twice ends the process. */
import { note } from './output.js';
import { withoutReader } from './readers.js';

/** Exit status of an interrupted command, as shells count it: 128 + SIGINT. */
export const INTERRUPTED = 130;

/**
 * Runs `work` with a signal that SIGINT or SIGTERM aborts. Outside of it both keep their ordinary effect.
 * `message` is told on the first one.
 */
export async function interruptible<T>(message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    note(`\n${message}`);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await withoutReader(() => work(controller.signal));
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
