/** RAF-DB as its authors give it: `EmoLabel/list_patition_label.txt`, "train_00001.jpg 5" a line, and aligned faces beside. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { readRegular } from '../regular-file.js';
import { CLASS_ORDERS } from './class-names.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { readPictures, type PictureFile } from './picture-files.js';

export const rafDb: DataForm = {
  describe: 'RAF-DB with its list of labels and aligned faces',
  looks: [['the folder of RAF-DB', 'EmoLabel/list_patition_label.txt and Image/aligned/ or aligned/']],
  matches: async (root, stats) => stats.isDirectory() && (await listIn(root)) !== undefined,
  read: readRafDb,
};

/** The list's name is misspelt in the release, and mended in some copies. */
const LIST = /^list_par?tition_label\.txt$/i;
/** Bytes; the release's has 300,000. */
const LONGEST_LIST = 1 << 24;

async function listIn(root: string): Promise<string | undefined> {
  for (const folder of [root, path.join(root, 'EmoLabel')]) {
    const name = (await readdir(folder).catch(() => [])).find((one) => LIST.test(one));
    if (name !== undefined) return path.join(folder, name);
  }
  return undefined;
}

/** @throws {FerError} ERR_FER_DATA_FORMAT where there is no folder of faces. */
async function facesIn(root: string): Promise<string> {
  const places = ['Image/aligned', 'aligned', 'Image/original', 'original'].map((name) => path.join(root, name));
  for (const place of places)
    if (
      await stat(place).then(
        (stats) => stats.isDirectory(),
        () => false,
      )
    )
      return place;
  throw new FerError(
    'ERR_FER_DATA_FORMAT',
    `${root}: expected RAF-DB's faces in ${places[0]} or ${places[1]}, found neither; unpack aligned.zip there`,
    {
      details: { file: root },
    },
  );
}

/** @throws {FerError} ERR_FER_DATA_FORMAT naming list and line; as `readPictures`. */
async function readRafDb(root: string, options: LoadOptions): Promise<Read> {
  const list = (await listIn(root))!;
  const [text, folder] = await Promise.all([readRegular(list, { most: LONGEST_LIST }), facesIn(root)]);
  const there = new Set(await readdir(folder));
  const { first, classes } = CLASS_ORDERS.rafdb;
  const files: PictureFile[] = [];
  for (const [i, line] of text.toString('utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const wrong = (reason: string): FerError =>
      new FerError('ERR_FER_DATA_FORMAT', `${list}, line ${i + 1}: ${reason}`, { details: { file: list, line: i + 1, reason } });
    const [, name, split, label] = /^((train|test)_\S+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (name === undefined)
      throw wrong(`expected a name and a number, such as "train_00001.jpg 5", got ${JSON.stringify(line.slice(0, 40))}`);
    const className = classes[Number(label) - first];
    if (className === undefined) throw wrong(`expected a label of 1 to 7, got ${label}`);
    const { name: stem, ext } = path.parse(name);
    const found = [`${stem}_aligned${ext}`, name].find((one) => there.has(one));
    if (found === undefined) throw wrong(`there is no ${stem}_aligned${ext} in ${folder}`);
    files.push({ file: path.join(folder, found), split: split === 'train' ? 'Training' : 'Test', className });
  }
  const facts = { name: 'RAF-DB', expected: `a list of faces in ${list}`, splits: ['Training', 'Test'] as const, notes: [] };
  return readPictures(root, files, facts, { ...options, classes: undefined });
}
