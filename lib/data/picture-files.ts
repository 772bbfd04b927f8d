/** Data sets that are pictures in files, each with a class: what the forms of folders and lists have in common. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { native } from '../native.js';
import { namedClasses } from './class-names.js';
import { RowCollector } from './collector.js';
import { contentOf, headOfFile } from './content.js';
import { checkClassCount } from './data-set.js';
import type { LoadOptions, Read } from './form.js';
import { decodeImage } from './image.js';
import { PICTURE } from './picture-names.js';
import type { SplitName } from './splits.js';

export interface PictureFile {
  file: string;
  split: SplitName;
  /** As the data set calls it: a folder's name, a number of a list. */
  className: string;
  /** Who is on it; of all files of a data set or of none. */
  subject?: string;
}

/** What a reader says of its pictures beside them. */
export interface PictureFacts {
  /** Of the form, "image folders". */
  name: string;
  /** What was expected where there is too little, "<split>/<class>/ folders with pictures". */
  expected: string;
  /** In the order in which they are listed. */
  splits: readonly SplitName[];
  notes: readonly string[];
  /** Classes that may have no picture. */
  classNames?: readonly string[];
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);
/** What a folder holds, sorted by name. */
export const entriesOf = async (directory: string): Promise<Dirent[]> => (await readdir(directory, { withFileTypes: true })).sort(byName);
export const isFolder = (entry: Dirent): boolean => entry.isDirectory() && !entry.name.startsWith('.');

/** By its name, or without a name that says so by its content. Hidden files are none: macOS keeps a "._x.jpg" beside x.jpg. */
export async function isPicture(entry: Dirent, file: string): Promise<boolean> {
  if (entry.isDirectory() || entry.name.startsWith('.')) return false;
  if (PICTURE.test(entry.name)) return true;
  return entry.isFile() && contentOf(await headOfFile(file))?.picture === true;
}

/**
 * The pictures of one class folder, and the other files in it.
 * @param folder its path
 */
export async function picturesIn(folder: string): Promise<{ pictures: string[]; others: string[] }> {
  const [pictures, others]: string[][] = [[], []];
  for (const entry of await entriesOf(folder)) {
    const file = path.join(folder, entry.name);
    ((await isPicture(entry, file)) ? pictures : others).push(file);
  }
  return { pictures, others };
}

/** A note about files that were left out; none where there are none. */
export const noteOnOthers = (others: readonly string[]): string[] =>
  others.length > 0 ? [`${others.length} files that are no pictures were left out, the first of them ${others[0]}`] : [];

/** How many pictures are decoded between two looks at the memory. */
const AT_ONCE = 64;

/**
 * Decodes the pictures, grey and stretched to `size` (default 48).
 * @throws {FerError} ERR_FER_DATA_FORMAT for fewer than two classes, more than 256, or no readable picture; ERR_FER_IMAGE_FORMAT for a
 * picture that cannot be decoded, unless bad rows are skipped.
 */
export async function readPictures(root: string, files: readonly PictureFile[], facts: PictureFacts, options: LoadOptions): Promise<Read> {
  const { size = 48, skipBadRows } = options;
  const named = namedClasses([...new Set([...(facts.classNames ?? []), ...files.map(({ className }) => className)])], options.classes);
  checkClassCount(root, named.classes.size);
  const labels = [...named.classes.keys()];
  const collector = new RowCollector(root, size, skipBadRows);
  if (labels.length >= 2) {
    collector.reserve(files.length);
    const most = Math.max(AT_ONCE, 8 * native().systemInfo().cores);
    for (let from = 0; from < files.length; from += most) {
      const part = files.slice(from, from + most);
      const decoded = await Promise.all(part.map(({ file }) => decodeImage(file, { size }).catch((error: Error) => error)));
      for (const [i, image] of decoded.entries()) {
        const { split, className, subject } = part[i];
        if (image instanceof Uint8Array) collector.add(image, labels.indexOf(named.keys.get(className)!), split, subject);
        else if (!(image instanceof FerError) || image.code === 'ERR_FER_OUT_OF_MEMORY') throw image;
        else collector.refuse(from + i + 1, image.message, image);
      }
    }
  }
  if (collector.count === 0)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${root}: expected ${facts.expected} of at least two classes, found ${labels.length} classes and ${files.length} pictures${collector.bad > 0 ? ', none of them readable' : ''}`,
      { details: { file: root } },
    );
  const bad = collector.bad > 0 ? [`${collector.bad} unreadable pictures were skipped`] : [];
  const notes = [...facts.notes, ...named.notes, ...bad];
  return collector.finish({ name: facts.name, classes: [...named.classes.values()], notes }, facts.splits);
}
