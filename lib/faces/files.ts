/** BlazeFace's graph and weights, which come in the optional package @vladmandic/human; nothing of its code runs. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { FerError } from '../errors.js';
import { readRegular } from '../regular-file.js';
import type { GraphFile } from './graph.js';

export const FACE_PACKAGE = '@vladmandic/human';
const NAME = 'blazeface';

/** The folder with the files. @throws {FerError} ERR_FER_PACKAGE_MISSING */
export function blazeFaceFolder(): string {
  try {
    const script = createRequire(import.meta.url).resolve(FACE_PACKAGE); // in its folder dist
    return path.join(path.dirname(script), '..', 'models');
  } catch (cause) {
    const message = `finding faces needs a package that is not installed: npm install ${FACE_PACKAGE}`;
    throw new FerError('ERR_FER_PACKAGE_MISSING', message, { cause, details: { packages: [FACE_PACKAGE] } });
  }
}

/** @throws {FerError} ERR_FER_PACKAGE_MISSING */
export function blazeFacePaths(): { graph: string; weights: string } {
  const folder = blazeFaceFolder();
  return { graph: path.join(folder, `${NAME}.json`), weights: path.join(folder, `${NAME}.bin`) };
}

/** @throws {FerError} ERR_FER_PACKAGE_MISSING, ERR_FER_DATA_NOT_FOUND */
export async function blazeFaceFiles(): Promise<{ graph: GraphFile; weights: ArrayBuffer }> {
  const paths = blazeFacePaths();
  const [graph, weights] = await Promise.all([readRegular(paths.graph), readRegular(paths.weights)]);
  return { graph: JSON.parse(graph.toString('utf8')) as GraphFile, weights: Uint8Array.from(weights).buffer };
}
