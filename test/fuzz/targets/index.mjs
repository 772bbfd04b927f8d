/**
 * The targets: what reads a file from outside. Each has a name, `prepare(folder)` that makes seeds and gives an arbitrary of cases
 * (bytes), and `run(bytes, folder)`, which must end in a FerError or a right answer.
 */
import * as data from './data.mjs';
import * as documents from './documents.mjs';
import * as images from './images.mjs';
import * as models from './models.mjs';
import * as onnx from './onnx.mjs';

export const TARGETS = [models, onnx, data, images, documents].flatMap((group) => Object.values(group));
