/** The thread that looks for faces, so that the event loop does not: a picture in, faces out. */
import { parentPort } from 'node:worker_threads';
import type { ColourPicture } from '../data/image.js';
import { readBlazeFace } from './blazeface.js';
import { blazeFaceFiles } from './files.js';

export interface Task {
  picture: ColourPicture;
  least: number;
}

const loaded = blazeFaceFiles().then(({ graph, weights }) => readBlazeFace(graph, weights));

parentPort?.on('message', ({ picture, least }: Task) => {
  loaded.then(
    (finder) => parentPort?.postMessage({ faces: finder.find(picture, least) }),
    (error: Error) => parentPort?.postMessage({ problem: error.message }),
  );
});
