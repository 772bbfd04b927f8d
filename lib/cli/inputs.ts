/** The images that a command is asked about: files, folders, patterns and standard input, in the order given. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { PICTURE } from '../data/picture-names.js';
import { FerError } from '../errors.js';

/** Bytes. */
const LARGEST_PICTURE = 512e6;

/** Standard input's place among the inputs. */
export const STDIN = '-';

/**
 * Paths of images, and "-" where standard input was named. A folder gives the pictures in it and below, sorted. A name
 * that exists is taken as it is, even with a * in it.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND when a folder holds no picture or nothing matches a pattern.
 */
export async function expandInput(input: string): Promise<string[]> {
  if (input === STDIN) return [STDIN];
  const found = await stat(input).catch(() => undefined);
  if (found?.isDirectory()) {
    const pictures = (await filesBelow(input)).filter((file) => PICTURE.test(file));
    if (pictures.length === 0) throw new FerError('ERR_FER_DATA_NOT_FOUND', `${input} holds no pictures`, { details: { file: input } });
    return pictures;
  }
  if (found || !/[*?[{]/.test(input)) return [input];
  const matching = await glob(input);
  if (matching.length === 0) throw new FerError('ERR_FER_DATA_NOT_FOUND', `nothing matches ${input}`, { details: { file: input } });
  return matching;
}

/** @throws {FerError} ERR_FER_USAGE at a terminal, where nobody would know what is waited for. */
export function mustBePiped(): void {
  if (process.stdin.isTTY) throw new FerError('ERR_FER_USAGE', 'nothing is piped into standard input, which - stands for');
}

/** The one picture piped in. */
export async function standardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    length += (chunk as Buffer).length;
    if (length > LARGEST_PICTURE) throw new FerError('ERR_FER_IMAGE_FORMAT', `standard input is longer than ${LARGEST_PICTURE} bytes`);
    chunks.push(chunk as Buffer);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) throw new FerError('ERR_FER_IMAGE_FORMAT', 'standard input is empty; it should be one picture');
  return bytes;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('._')) // which macOS leaves beside files
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Files that match a pattern with *, ?, [abc], {a,b} and **, sorted. Node 20 has no stable one of its own. */
async function glob(pattern: string): Promise<string[]> {
  const parts = path.normalize(pattern).split(path.sep);
  const fixed = parts.findIndex((part) => /[*?[{]/.test(part));
  const base = parts.slice(0, fixed).join(path.sep) || (path.isAbsolute(pattern) ? path.sep : '.');
  // eslint-disable-next-line security/detect-non-literal-regexp -- made by patternSource, which quotes all but the pattern's own signs
  const matcher = new RegExp(`^${patternSource(parts.slice(fixed).join('/'))}$`);
  return (await filesBelow(base)).filter((file) => matcher.test(path.relative(base, file).split(path.sep).join('/')));
}

/** The pattern as a regular expression's source. */
function patternSource(pattern: string): string {
  let source = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    const closing = char === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (pattern.startsWith('**/', i)) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i++;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (closing > 0) {
      source += `[${pattern
        .slice(i + 1, closing)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')}]`;
      i = closing;
    } else if (char === '{' && pattern.indexOf('}', i) > 0) {
      source += '(?:';
      depth++;
    } else if (char === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (char === ',' && depth > 0) source += '|';
    else source += char.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  }
  return source;
}
