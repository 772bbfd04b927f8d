/** Image folders: `<root>/<split>/<class>/*.jpg`, with any class names and images of any size. */
import path from 'node:path';
import { FerError } from '../errors.js';
import { namedClasses } from './class-names.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { entriesOf, isFolder, isPicture, noteOnOthers, picturesIn, readPictures, type PictureFile } from './picture-files.js';
import type { SplitName } from './splits.js';

export const imageFolders: DataForm = {
  describe: 'a folder with train/ and test/ (and perhaps validation/), each with a folder a class',
  looks: [['a folder', 'train/ and test/, perhaps validation/, each with a folder of pictures a class: FER2013, RAF-DB, AffectNet, SFEW']],
  matches: async (path, stats) => stats.isDirectory() && (await splitFolders(path)).length > 0,
  read: readImageFolders,
};

const TRAINING = ['train', 'training', 'train_set'];
const VALIDATION = ['validation', 'valid', 'val', 'val_set', 'publictest', 'public_test'];
const TEST = ['test', 'testing', 'test_set', 'privatetest', 'private_test'];

export interface SplitFolder {
  folder: string;
  split: SplitName;
}

/**
 * The folders of `directory` that are splits. Empty when it is no image data set.
 * @throws {FerError} ERR_FER_DATA_FORMAT for two folders of one split.
 */
export async function splitFolders(directory: string): Promise<SplitFolder[]> {
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

/** What the folders hold: pictures, class folders (one may have no picture), and files that are neither. */
interface Contents {
  files: PictureFile[];
  /** Paths of each split's class folders. */
  classes: string[][];
  others: string[];
  /** Pictures that lie in no class folder, as those of a test that is not labelled. */
  unlabelled: number;
}

async function contentsOf(root: string, layout: readonly SplitFolder[]): Promise<Contents> {
  const contents: Contents = { files: [], classes: layout.map(() => []), others: [], unlabelled: 0 };
  for (const [i, { folder, split }] of layout.entries())
    for (const entry of await entriesOf(path.join(root, folder))) {
      const place = path.join(root, folder, entry.name);
      if (!isFolder(entry)) {
        if (await isPicture(entry, place)) contents.unlabelled++;
        else contents.others.push(place);
        continue;
      }
      contents.classes[i].push(place);
      const { pictures, others } = await picturesIn(place);
      contents.files.push(...pictures.map((file) => ({ file, split, className: entry.name })));
      contents.others.push(...others);
    }
  return contents;
}

/** @throws {FerError} ERR_FER_DATA_FORMAT where a class is not among the training images. */
function mustBeLearnt(root: string, layout: readonly SplitFolder[], classes: readonly string[][], options: LoadOptions): void {
  const training = layout.findIndex(({ split }) => split === 'Training');
  if (training < 0) return;
  const { keys } = namedClasses([...new Set(classes.flat().map((place) => path.basename(place)))], options.classes);
  const keyOf = (place: string): string => keys.get(path.basename(place))!;
  const learnt = new Set(classes[training].map(keyOf));
  const place = classes.flat().find((one) => !learnt.has(keyOf(one)));
  if (place === undefined) return;
  const beside = path.join(root, layout[training].folder, path.basename(place));
  throw new FerError('ERR_FER_DATA_FORMAT', `${place} is a class that cannot be learnt: there is no ${beside}`, {
    details: { file: place, reason: `class ${keyOf(place)} is not among the training images` },
  });
}

/**
 * Reads an image folder; pictures are turned grey and stretched to `size` (default 48).
 * @throws {FerError} ERR_FER_DATA_FORMAT for a folder without classes, more than 256 of them, or splits that do not have the same;
 * ERR_FER_IMAGE_FORMAT for a picture that cannot be decoded.
 */
async function readImageFolders(root: string, options: LoadOptions): Promise<Read> {
  const layout = await splitFolders(root);
  const { files, classes, others, unlabelled } = await contentsOf(root, layout);
  mustBeLearnt(root, layout, classes, options);
  const splits = layout.map(({ split }) => split);
  return readPictures(
    root,
    files,
    {
      name: 'image folders',
      expected: '<split>/<class>/ folders with pictures',
      splits,
      classNames: classes.flat().map((place) => path.basename(place)),
      notes: [
        ...(splits.includes('Test')
          ? [
              'this folder has one test split; FER2013 releases of this form join PublicTest and PrivateTest, so its figures compare with neither',
            ]
          : []),
        ...(unlabelled > 0 ? [`${unlabelled} pictures in no class folder were left out`] : []),
        ...noteOnOthers(others),
      ],
    },
    options,
  );
}
