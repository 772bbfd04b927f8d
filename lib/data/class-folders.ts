/** Class folders without splits: `<root>/<class>/*.png`, as CK+48 comes. All of it is Training until it is divided (`splitBy`). */
import path from 'node:path';
import type { DataForm, LoadOptions, Read } from './form.js';
import { entriesOf, isFolder, isPicture, noteOnOthers, picturesIn, readPictures, type PictureFile } from './picture-files.js';

export const classFolders: DataForm = {
  describe: 'a folder of class folders without splits',
  looks: [['a folder of class folders', 'without splits, as CK+48: all is to learn from, or --split-by divides it']],
  matches: async (root, stats) => stats.isDirectory() && (await withPictures(root)) >= 2,
  read: readClassFolders,
};

/** How many of the folders in `root` hold a picture; it stops at two. */
async function withPictures(root: string): Promise<number> {
  let found = 0;
  for (const entry of (await entriesOf(root)).filter(isFolder)) {
    const place = path.join(root, entry.name);
    for (const inside of await entriesOf(place))
      if (await isPicture(inside, path.join(place, inside.name))) {
        found++;
        break;
      }
    if (found >= 2) break;
  }
  return found;
}

/** Who is on a picture: what stands before the first _, - or . of several in its name, as S010 in S010_004_00000017.png. */
export const subjectOf = (file: string): string | undefined => /^([A-Za-z]+\d*|\d+)[_.-].*\.\w+$/.exec(path.basename(file))?.[1];

/** @throws {FerError} as `readPictures`. */
async function readClassFolders(root: string, options: LoadOptions): Promise<Read> {
  const files: PictureFile[] = [];
  const left: string[] = [];
  const classNames: string[] = [];
  for (const entry of await entriesOf(root)) {
    const place = path.join(root, entry.name);
    if (!isFolder(entry)) {
      left.push(place);
      continue;
    }
    classNames.push(entry.name);
    const { pictures, others } = await picturesIn(place);
    left.push(...others);
    files.push(...pictures.map((file): PictureFile => ({ file, split: 'Training', className: entry.name, subject: subjectOf(file) })));
  }
  const notes = noteOnOthers(left);
  return readPictures(
    root,
    files,
    { name: 'class folders', expected: '<class>/ folders with pictures', splits: ['Training'], classNames, notes },
    options,
  );
}
