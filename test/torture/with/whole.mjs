// Files that are whole, and what they say: the same for two runs that computed the same.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeSafetensors } from '../../../dist/network/safetensors.js';
import { atOnce } from '../../../dist/slices.js';
import { Broken } from './outcome.mjs';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Of the tensors alone: metadata has times. */
export function sha256OfTensors(file) {
  const { tensors } = atOnce(decodeSafetensors(readFileSync(file), file));
  return sha256(...[...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, { data }]) => [name, new Uint8Array(data.buffer)]));
}

export const sha256OfFile = (file) => sha256(readFileSync(file));

/** Fails where the bytes are not a whole file of their kind. */
const KINDS = {
  '.safetensors': (bytes, file) => void atOnce(decodeSafetensors(bytes, file)),
  '.json': (bytes) => void JSON.parse(bytes.toString()),
  '.jsonl': (bytes) => bytes.toString().trimEnd().split('\n').forEach(JSON.parse),
  '.png': (bytes) => {
    if (!bytes.subarray(-12).includes('IEND')) throw new Error('it is cut short');
  },
  '.svg': (bytes) => {
    if (!bytes.toString().trimEnd().endsWith('</svg>')) throw new Error('it is cut short');
  },
  '.html': (bytes) => {
    if (!bytes.toString().trimEnd().endsWith('</html>')) throw new Error('it is cut short');
  },
};

const filesIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    : [];

export const temporaryFiles = (folder) => filesIn(folder).filter((file) => file.endsWith('.tmp'));

/** Whatever happened: a file that is there under its own name is whole. */
export function mustBeWhole(folder) {
  for (const file of filesIn(folder)) {
    const check = KINDS[path.extname(file)];
    try {
      check?.(readFileSync(file), file);
    } catch (error) {
      throw new Broken(`${path.relative(folder, file)} is not whole: ${error.message}`);
    }
  }
}
