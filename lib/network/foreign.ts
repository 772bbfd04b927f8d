/** Files and folders that are taken for models: each is told in one line what it is, by its content, and how its weights come here. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { contentOf } from '../data/content.js';
import { FerError } from '../errors.js';

const READS = 'models are .safetensors of this package or of PyTorch, ONNX that this package exported, or Keras .hdf5 of Mini_XCEPTION';
const KERAS = 'load it in Keras and save it as HDF5: model.save("model.h5")';
const TORCH = 'its weights have to come as safetensors';

interface Foreign {
  /** In a sentence: "it is a PyTorch file". */
  name: string;
  advice?: string;
}

/** A ZIP by the name of its first entry, which stands at byte 30 behind its length. */
function zipOf(head: Buffer): Foreign | undefined {
  if (head.length < 31 || head.toString('latin1', 0, 4) !== 'PK\x03\x04') return undefined;
  const first = head.toString('utf8', 30, 30 + head.readUInt16LE(26));
  if (/^(?:metadata|config)\.json$|\.weights\.h5$/.test(first)) return { name: 'a Keras 3 archive (.keras)', advice: KERAS };
  if (/(?:^|\/)(?:data\.pkl|version|byteorder|\.format_version|constants\.pkl)$|^archive\//.test(first))
    return { name: 'a PyTorch file', advice: TORCH };
  return undefined;
}

/** What begins with these bytes, of what is known to hold models or to be mistaken for one. */
function foreignOf(head: Buffer): Foreign | undefined {
  const hex = head.toString('hex', 0, 8);
  const text = head.toString('latin1');
  // Protocol buffers: field 1, the schema's version, then a message.
  if (/^080112/.test(hex)) return { name: "TensorFlow's saved_model.pb", advice: KERAS };
  if (text.slice(4, 8) === 'TFL3') return { name: 'a TensorFlow Lite model', advice: KERAS };
  if (/^(?:#!.*python|(?:import|from) [A-Za-z_]|def |class )/m.test(text) && /^[\t\n\r\x20-\x7e]+$/.test(text))
    return { name: 'a program in Python', advice: 'run it, and name the file of weights that it writes' };
  const zip = zipOf(head);
  if (zip) return zip;
  const known = contentOf(head);
  if (known) return { name: known.name, advice: known.name === 'a Python pickle' ? `PyTorch writes such; ${TORCH}` : known.advice };
  return /^[\t\n\r\x20-\x7e]+$/.test(text) ? { name: 'a text' } : undefined;
}

function refuse(file: string, { name, advice }: Foreign): never {
  throw new FerError(
    'ERR_FER_MODEL_FORMAT',
    `${file} is no model that this program can read: it is ${name}${advice ? `: ${advice}` : ''}; ${READS}`,
    {
      details: { file, reason: name },
    },
  );
}

/** @throws {FerError} ERR_FER_MODEL_FORMAT for a file that does not begin as safetensors do. */
export function refuseForeign(file: string, head: Buffer): void {
  // The length of a JSON header, then the header. No other form has a brace there.
  if (head.length < 9 || head[8] === 0x7b) return;
  refuse(file, foreignOf(head) ?? { name: 'of no known form' });
}

/** @throws {FerError} ERR_FER_MODEL_FORMAT for a folder that TensorFlow wrote. */
export async function refuseSavedModel(folder: string): Promise<void> {
  const there = await stat(path.join(folder, 'saved_model.pb')).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (there) refuse(folder, { name: 'a TensorFlow SavedModel', advice: KERAS });
}
