/** A server of models, as programs and the command line start it. What it needs loads then. */
import type { ServeOptions } from './options.js';

/** A server that listens. */
export interface RunningServer {
  /** Where, such as "http://127.0.0.1:8080". */
  url: string;
  /** The port, also where 0 was asked for. */
  port: number;
  /** Takes no more, finishes what is under way, frees the models. Twice is harmless. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves models over HTTP: `POST /v1/predict`, `/v1/explain` and `/v1/perturb`, the Open Inference Protocol, a page at `/`
 * (docs/serving.md). Resolves once it listens. Needs optional packages; the error for a missing one says what to install. Turns
 * sharp's cache off, for the whole process.
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_PACKAGE_MISSING, ERR_FER_SERVER where it cannot listen, and as `MiniXception.load`
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { start } = await import('./start.js');
  return start(options);
}
