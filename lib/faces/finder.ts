/** Who finds the faces: an interface that any detector can stand behind, and the one that is used where none is given. */
import { Worker } from 'node:worker_threads';
import { FerError } from '../errors.js';
import type { ColourPicture } from '../data/image.js';
import type { FoundFace } from './blazeface.js';
import { blazeFaceFolder } from './files.js';
import type { Task } from './worker.js';

/** Finds faces in a picture. One of your own may stand in for the default. */
export interface FaceFinder {
  /** Faces, in any order; none is an answer. They may reach beyond the picture. */
  find(picture: ColourPicture): Promise<readonly FoundFace[]> | readonly FoundFace[];
}

/** A finder that has a thread to itself. */
export interface OwnFaceFinder extends FaceFinder {
  find(picture: ColourPicture): Promise<readonly FoundFace[]>;
  /** Ends its thread. What is asked later starts another. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How sure the default finder has to be, 0..1. */
export interface FinderOptions {
  /** Default 0.5: docs/faces.md shows what that finds and misses. */
  minConfidence?: number;
}

/**
 * The default finder: BlazeFace, whose weights come in the optional package `@vladmandic/human`, in a thread that starts when it is first
 * asked and does not keep the process alive.
 * @throws {FerError} ERR_FER_PACKAGE_MISSING, which says what to install; ERR_FER_ARGUMENT
 */
export function faceFinder({ minConfidence: least = 0.5 }: FinderOptions = {}): OwnFaceFinder {
  if (!(least > 0 && least < 1))
    throw new FerError('ERR_FER_ARGUMENT', `expected a number between 0 and 1, got ${least}, for minConfidence`);
  blazeFaceFolder(); // fails here and now where it is missing
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const ask = (task: Task): Promise<readonly FoundFace[]> =>
    new Promise((resolve, reject) => {
      worker ??= new Worker(new URL('./worker.js', import.meta.url));
      const asked = worker;
      asked.ref();
      const settled = new AbortController();
      const once = (event: string, then: (value: unknown) => void): void => {
        const heard = (value: unknown): void => {
          settled.abort();
          asked.unref();
          then(value);
        };
        asked.once(event, heard);
        settled.signal.addEventListener('abort', () => asked.off(event, heard));
      };
      const broken = (cause: unknown): void => {
        worker = undefined;
        reject(new FerError('ERR_FER_NATIVE', `the thread that looks for faces ended: ${String(cause)}`, { cause }));
      };
      once('message', (answer) => {
        const { faces, problem } = answer as { faces?: FoundFace[]; problem?: string };
        if (faces) resolve(faces);
        else broken(problem);
      });
      once('error', broken);
      once('exit', (status) => broken(`status ${String(status)}`));
      asked.postMessage(task, [task.picture.pixels.buffer as ArrayBuffer]);
    });

  const close = async (): Promise<void> => {
    await last;
    const ended = worker;
    worker = undefined;
    await ended?.terminate();
  };
  return {
    find({ pixels, width, height }) {
      // One after another; a copy is given away, so that the caller keeps his.
      const found = last.then(() => ask({ picture: { pixels: Uint8Array.from(pixels), width, height }, least }));
      last = found.catch(() => undefined);
      return found;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
