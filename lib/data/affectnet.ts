/** AffectNet as its authors give it: `train_set/images/1.jpg`, and the expression's number in `train_set/annotations/1_exp.npy`. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { readRegular } from '../regular-file.js';
import { CLASS_ORDERS } from './class-names.js';
import { splitFolders } from './folders.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { noteOnOthers, picturesIn, readPictures, type PictureFile } from './picture-files.js';

export const affectNet: DataForm = {
  describe: 'AffectNet with its annotations',
  looks: [['the folder of AffectNet', 'train_set/ and val_set/, each with images/ and annotations/']],
  matches: async (root, stats) => stats.isDirectory() && (await annotated(root)),
  read: readAffectNet,
};

const isDirectory = (place: string): Promise<boolean> =>
  stat(place).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

async function annotated(root: string): Promise<boolean> {
  for (const { folder } of await splitFolders(root)) if (await isDirectory(path.join(root, folder, 'annotations'))) return true;
  return false;
}

/** Bytes; NumPy pads a scalar's file to 128 and some. */
const LONGEST_ANNOTATION = 4096;

/**
 * The one number of a NumPy file: text or a whole number.
 * @throws {FerError} ERR_FER_DATA_FORMAT, ERR_FER_DATA_NOT_FOUND
 */
export async function numberInNpy(file: string): Promise<number> {
  const bytes = await readRegular(file, { most: LONGEST_ANNOTATION });
  const fail = (reason: string): never => {
    throw new FerError('ERR_FER_DATA_FORMAT', `${file}: ${reason}`, { details: { file, reason } });
  };
  if (bytes.length < 12 || bytes.toString('latin1', 1, 6) !== 'NUMPY') fail('it is no NumPy file');
  const long = bytes[6] >= 2;
  const start = (long ? 12 : 10) + (long ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', long ? 12 : 10, start);
  const [, type, size] =
    /'descr': '[<|]([USiu])(\d+)'/.exec(header) ?? fail(`expected one number or text, got ${header.trim().slice(0, 80)}`);
  const body = bytes.subarray(start);
  const width = Number(size);
  const text =
    type === 'U' ? body.toString('utf16le').replaceAll('\0', '')
    : type === 'S' ? body.toString('latin1').replaceAll('\0', '')
    : width >= 1 && width <= 6 && body.length >= width ? String(body.readIntLE(0, width))
    : body.length >= 8 ? String(body.readBigInt64LE()) : ''; // prettier-ignore
  return /^\d{1,2}$/.test(text) ? Number(text) : fail(`expected the number of an expression, got ${JSON.stringify(text.slice(0, 20))}`);
}

/** @throws {FerError} ERR_FER_DATA_FORMAT for an annotation that is no number; as `readPictures`. */
async function readAffectNet(root: string, options: LoadOptions): Promise<Read> {
  const { classes } = CLASS_ORDERS.affectnet;
  const layout = await splitFolders(root);
  const files: PictureFile[] = [];
  const left: string[] = [];
  let unannotated = 0;
  let other = 0;
  for (const { folder, split } of layout) {
    const { pictures, others } = await picturesIn(path.join(root, folder, 'images'));
    left.push(...others);
    for (const file of pictures) {
      const annotation = path.join(root, folder, 'annotations', `${path.parse(file).name}_exp.npy`);
      const label = await numberInNpy(annotation).catch((error: FerError) => {
        if (error.code !== 'ERR_FER_DATA_NOT_FOUND') throw error;
        return undefined;
      });
      if (label === undefined) unannotated++;
      else if (classes[label] === undefined) other++;
      else files.push({ file, split, className: classes[label] });
    }
  }
  const notes = [
    ...(other > 0 ? [`${other} pictures of no expression (8 none, 9 uncertain, 10 no face) were left out`] : []),
    ...(unannotated > 0 ? [`${unannotated} pictures without an annotation were left out`] : []),
    ...noteOnOthers(left),
  ];
  const facts = { name: 'AffectNet', expected: 'images/ and annotations/ with pictures', splits: layout.map(({ split }) => split), notes };
  return readPictures(root, files, facts, { ...options, classes: undefined });
}
