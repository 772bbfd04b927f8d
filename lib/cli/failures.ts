/** Pictures that could not be read: told at once, the others go on, and the exit status is 1. */
import { FerError } from '../errors.js';
import { expandInput } from './inputs.js';
import { note } from './output.js';

export interface Failed {
  image: string;
  error: { code: string; message: string };
}

export class Failures {
  private count = 0;

  /** Tells of it. What was not foreseen is thrown on. */
  of(image: string, error: unknown): Failed {
    if (!(error instanceof FerError)) throw error;
    note(`fer-cudnn: ${error.message} [${error.code}]`);
    this.count++;
    return { image, error: { code: error.code, message: error.message } };
  }

  /** At the end. */
  tell(total: number): void {
    if (this.count === 0) return;
    if (total > 1) note(`${this.count} of ${total} could not be read`);
    process.exitCode = 1;
  }
}

/** The pictures that are meant, and what is not there. */
export async function expandAll(inputs: readonly string[], failures: Failures): Promise<{ images: string[]; missing: Failed[] }> {
  const expanded = await Promise.allSettled(inputs.map(expandInput));
  return {
    images: expanded.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    missing: expanded.flatMap((result, i) => (result.status === 'rejected' ? [failures.of(inputs[i], result.reason)] : [])),
  };
}
