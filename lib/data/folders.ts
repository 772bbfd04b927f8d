/** Image folders: `<root>/<split>/<class>/*.jpg`, with any class names and images of any size. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { native } from '../native.js';
import { classKey, inOrder } from './class-names.js';
import { contentOf, headOfFile } from './content.js';
import { checkClassCount, rowsBySplit, type LabelledImages } from './data-set.js';
import type { DataForm, LoadOptions } from './form.js';
import { decodeImage } from './image.js';
import { PICTURE } from './picture-names.js';
import type { SplitName } from './splits.js';

export const imageFolders: DataForm = {
  describe: 'a folder with train/ and test/ (and perhaps validation/), each with a folder a class',
  looks: [['a folder', 'train/ and test/, perhaps validation/, each with a folder of pictures a class']],
  matches: async (path, stats) => stats.isDirectory() && (await splitFolders(path)).length > 0,
  read: readImageFolders,
};

const TRAINING = ['train', 'training'];
const VALIDATION = ['validation', 'valid', 'val', 'publictest', 'public_test'];
const TEST = ['test', 'testing', 'privatetest', 'private_test'];

const isFolder = (entry: Dirent): boolean => entry.isDirectory() && !entry.name.startsWith('.');
const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);
const entriesOf = async (directory: string): Promise<Dirent[]> => (await readdir(directory, { withFileTypes: true })).sort(byName);

interface SplitFolder {
  folder: string;
  split: SplitName;
}

/**
 * The folders of `directory` that are splits. Empty when it is no image data set.
 * @throws {FerError} ERR_FER_DATA_FORMAT for two folders of one split.
 */
async function splitFolders(directory: string): Promise<SplitFolder[]> {
  const found = (await entriesOf(directory)).filter(isFolder).map(({ name }) => name);
  const pick = (names: string[]): string | undefined => {
    const [one, two] = found.filter((name) => names.includes(name.toLowerCase()));
    if (two === undefined) return one;
    const places = [one, two].map((name) => path.join(directory, name)).join(' and ');
    throw new FerError('ERR_FER_DATA_FORMAT', `${places} are the same split; keep one, or move the pictures of both into it`, {
      details: { file: directory },
    });
  };
  const [training, validation, test] = [pick(TRAINING), pick(VALIDATION), pick(TEST)];
  const splits: SplitFolder[] = [];
  if (training) splits.push({ folder: training, split: 'Training' });
  if (validation) splits.push({ folder: validation, split: 'PublicTest' });
  // FER2013's folder release joins PublicTest and PrivateTest into one test folder; it must not pass for either.
  if (test) splits.push({ folder: test, split: validation || /private/i.test(test) ? 'PrivateTest' : 'Test' });
  return splits;
}

interface PictureFile {
  file: string;
  /** Index of its split. */
  split: number;
  /** Of its class. */
  key: string;
}

/** What the folders hold: pictures, classes (one may have no picture), and files that are neither. */
interface Contents {
  files: PictureFile[];
  /** The first folder of each class in each split, by its key. */
  classes: Map<string, string>[];
  ignored: string[];
}

async function contentsOf(root: string, layout: readonly SplitFolder[]): Promise<Contents> {
  const contents: Contents = { files: [], classes: layout.map(() => new Map()), ignored: [] };
  for (const [split, { folder }] of layout.entries())
    for (const entry of await entriesOf(path.join(root, folder))) {
      const place = path.join(root, folder, entry.name);
      if (!isFolder(entry)) {
        contents.ignored.push(place);
        continue;
      }
      const key = classKey(entry.name);
      if (!contents.classes[split].has(key)) contents.classes[split].set(key, place);
      for (const inside of await entriesOf(place)) {
        const file = path.join(place, inside.name);
        if (await isPicture(inside, file)) contents.files.push({ file, split, key });
        else contents.ignored.push(file);
      }
    }
  return contents;
}

/** By its name, or without a name that says so by its content. Hidden files are none: macOS keeps a "._x.jpg" beside x.jpg. */
async function isPicture(entry: Dirent, file: string): Promise<boolean> {
  if (entry.isDirectory() || entry.name.startsWith('.')) return false;
  if (PICTURE.test(entry.name)) return true;
  return entry.isFile() && contentOf(await headOfFile(file))?.picture === true;
}

/** Each class in the spelling of the first split that has it. @throws {FerError} ERR_FER_DATA_FORMAT where only a later split has one. */
function classNames(layout: readonly SplitFolder[], classes: readonly Map<string, string>[]): Map<string, string> {
  const places = new Map(classes.flatMap((of) => [...of]).reverse()); // the first of equals comes last, and stays
  const training = layout.findIndex(({ split }) => split === 'Training');
  const unknown = training < 0 ? undefined : [...places].find(([key]) => !classes[training].has(key));
  if (unknown) {
    const [key, place] = unknown;
    const beside = path.join(path.dirname(path.dirname(place)), layout[training].folder, path.basename(place));
    throw new FerError('ERR_FER_DATA_FORMAT', `${place} is a class that cannot be learnt: there is no ${beside}`, {
      details: { file: place, reason: `class ${key} is not among the training images` },
    });
  }
  return new Map(inOrder(places.keys()).map((key) => [key, path.basename(places.get(key)!)]));
}

/** The pictures at `size`, one after another; an unreadable one stops it, or with `skip` leaves its place out and is told to it. */
async function decodeAll(
  files: readonly PictureFile[],
  size: number,
  skip?: (place: number, reason: string) => void,
): Promise<{ good: PictureFile[]; images: Uint8Array }> {
  const each = size * size;
  native().requireMemory(files.length * each, `${files.length} pictures at ${size}x${size}`);
  const images = new Uint8Array(files.length * each);
  const bad = new Set<number>();
  let next = 0;
  const decode = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++)
      try {
        images.set(await decodeImage(files[i].file, { size }), i * each);
      } catch (error) {
        if (!skip || (error as FerError).code === 'ERR_FER_OUT_OF_MEMORY') throw error;
        bad.add(i);
        skip(i, (error as Error).message);
      }
  };
  await Promise.all(Array.from({ length: 2 * native().systemInfo().cores }, decode));
  if (bad.size === 0) return { good: [...files], images };
  const kept = files.flatMap((_, i) => (bad.has(i) ? [] : [i]));
  kept.forEach((from, to) => images.copyWithin(to * each, from * each, (from + 1) * each));
  return { good: kept.map((i) => files[i]), images: images.slice(0, kept.length * each) };
}

/**
 * Reads an image folder; pictures are turned grey and stretched to `size` (default 48).
 * @throws {FerError} ERR_FER_DATA_FORMAT for a folder without classes, more than 256 of them, or splits that do not have the same;
 * ERR_FER_IMAGE_FORMAT for a picture that cannot be decoded.
 */
async function readImageFolders(root: string, { size = 48, skipBadRows }: LoadOptions): Promise<LabelledImages> {
  const layout = await splitFolders(root);
  const { files, classes: found, ignored } = await contentsOf(root, layout);
  const names = classNames(layout, found);
  checkClassCount(root, names.size);
  const badRows: LabelledImages['badRows'] = [];
  const skip = skipBadRows ? (place: number, reason: string): unknown => badRows.push({ line: place + 1, reason }) : undefined;
  const { good, images } = names.size < 2 ? { good: [], images: new Uint8Array(0) } : await decodeAll(files, size, skip);
  if (good.length === 0)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${root}: expected <split>/<class>/ folders with pictures of at least two classes, found ${names.size} classes and ${files.length} pictures${badRows.length > 0 ? ', none of them readable' : ''}`,
      { details: { file: root } },
    );
  const keys = [...names.keys()];
  const splits = layout.map(({ split }) => split);
  return {
    name: 'image folders',
    source: root,
    synthetic: false,
    classes: [...names.values()],
    size,
    images,
    labels: Uint8Array.from(good, ({ key }) => keys.indexOf(key)),
    splits: rowsBySplit(
      splits,
      Uint8Array.from(good, ({ split }) => split),
    ),
    notes: [
      ...(splits.includes('Test')
        ? [
            'this folder has one test split; FER2013 releases of this form join PublicTest and PrivateTest, so its figures compare with neither',
          ]
        : []),
      ...(ignored.length > 0 ? [`${ignored.length} files that are no pictures were left out, the first of them ${ignored[0]}`] : []),
      ...(badRows.length > 0 ? [`${badRows.length} unreadable pictures were skipped`] : []),
    ],
    badRows: badRows.sort((a, b) => a.line - b.line),
  };
}
