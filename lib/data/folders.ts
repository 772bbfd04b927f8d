/** Image folders: `<root>/<split>/<class>/*.jpg`, with any class names and images of any size. */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { FerError } from '../errors.js';
import { FER_CLASSES, rowsBySplit, type LabelledImages } from './data-set.js';
import type { DataForm, LoadOptions } from './form.js';
import { decodeImage } from './image.js';
import type { SplitName } from './splits.js';

export const imageFolders: DataForm = {
  describe: 'a folder with train/ and test/ (and perhaps validation/), each with a folder a class',
  looks: [['a folder', 'train/ and test/, perhaps validation/, each with a folder of pictures a class']],
  matches: async (path, stats) => stats.isDirectory() && (await splitFolders(path)).length > 0,
  read: readImageFolders,
};

const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?|avif)$/i;
const TRAINING = ['train', 'training'];
const VALIDATION = ['validation', 'valid', 'val', 'publictest', 'public_test'];
const TEST = ['test', 'testing', 'privatetest', 'private_test'];

async function folders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

/** The folders of `directory` that are splits: folder name and split name. Empty when it is no image data set. */
async function splitFolders(directory: string): Promise<[folder: string, split: SplitName][]> {
  const found = await folders(directory);
  const pick = (names: string[]): string | undefined => found.find((name) => names.includes(name.toLowerCase()));
  const [training, validation, test] = [pick(TRAINING), pick(VALIDATION), pick(TEST)];
  const splits: [string, SplitName][] = [];
  if (training) splits.push([training, 'Training']);
  if (validation) splits.push([validation, 'PublicTest']);
  // FER2013's folder release joins PublicTest and PrivateTest into one test folder; it must not pass for either.
  if (test) splits.push([test, validation || /private/i.test(test) ? 'PrivateTest' : 'Test']);
  return splits;
}

/** FER2013's classes in FER2013's order when the names are its own, otherwise by alphabet. */
function orderedClasses(names: Set<string>): string[] {
  const alias: Record<string, string> = {
    anger: 'angry',
    disgusted: 'disgust',
    fearful: 'fear',
    happiness: 'happy',
    sadness: 'sad',
    surprised: 'surprise',
  };
  const sorted = [...names].sort();
  const canonical = sorted.map((name) => alias[name.toLowerCase()] ?? name.toLowerCase());
  if (canonical.every((name) => FER_CLASSES.includes(name))) return FER_CLASSES.flatMap((name) => sorted[canonical.indexOf(name)] ?? []);
  return sorted;
}

interface PictureFile {
  file: string;
  /** Index of its split. */
  split: number;
  className: string;
}

/** The pictures, and the classes' names: a class may have no picture. */
async function pictureFiles(root: string, splits: readonly string[]): Promise<{ files: PictureFile[]; names: Set<string> }> {
  const files: PictureFile[] = [];
  const names = new Set<string>();
  for (const [split, folder] of splits.entries())
    for (const className of await folders(path.join(root, folder))) {
      names.add(className);
      for (const file of (await readdir(path.join(root, folder, className))).sort())
        if (PICTURE.test(file)) files.push({ file: path.join(root, folder, className, file), split, className });
    }
  return { files, names };
}

/** The pictures at `size`; an unreadable one stops it, or with `skip` leaves its place empty and is told to it. */
async function decodeAll(
  files: readonly PictureFile[],
  size: number,
  skip?: (place: number, reason: string) => void,
): Promise<(Uint8Array | undefined)[]> {
  const pixels: (Uint8Array | undefined)[] = new Array(files.length);
  let next = 0;
  const decode = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++)
      try {
        pixels[i] = await decodeImage(files[i].file, { size });
      } catch (error) {
        if (!skip) throw error;
        skip(i, (error as Error).message);
      }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, decode));
  return pixels;
}

/**
 * Reads an image folder; pictures are turned grey and stretched to `size` (default 48).
 * @throws {FerError} ERR_FER_DATA_FORMAT for a folder without classes or a picture that cannot be decoded.
 */
async function readImageFolders(root: string, { size = 48, skipBadRows }: LoadOptions): Promise<LabelledImages> {
  const layout = await splitFolders(root);
  const splits = layout.map(([, split]) => split);
  const { files, names } = await pictureFiles(
    root,
    layout.map(([folder]) => folder),
  );
  if (names.size < 2 || files.length === 0)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${root}: expected <split>/<class>/ folders with pictures of at least two classes, found ${names.size} classes and ${files.length} pictures`,
      { details: { file: root } },
    );
  const classes = orderedClasses(names);
  const badRows: LabelledImages['badRows'] = [];
  const skip = skipBadRows ? (place: number, reason: string): unknown => badRows.push({ line: place + 1, reason }) : undefined;
  const pixels = await decodeAll(files, size, skip);

  const good = files.filter((_, i) => pixels[i]);
  const images = new Uint8Array(good.length * size * size);
  pixels.filter((image) => image !== undefined).forEach((image, i) => images.set(image, i * size * size));
  return {
    name: 'image folders',
    source: root,
    synthetic: false,
    classes,
    size,
    images,
    labels: Uint8Array.from(good, (file) => classes.indexOf(file.className)),
    splits: rowsBySplit(
      splits,
      Uint8Array.from(good, (file) => file.split),
    ),
    notes: [
      ...(splits.includes('Test')
        ? [
            'this folder has one test split; FER2013 releases of this form join PublicTest and PrivateTest, so its figures compare with neither',
          ]
        : []),
      ...(badRows.length > 0 ? [`${badRows.length} unreadable pictures were skipped`] : []),
    ],
    badRows: badRows.sort((a, b) => a.line - b.line),
  };
}
