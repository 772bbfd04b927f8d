/**
 * FER+: `fer2013new.csv`, ten people's votes on each image of FER2013, beside `fer2013.csv`, which has the images in the same order.
 * Barsoum, Zhang, Canton Ferrer and Zhang, "Training deep networks for facial expression recognition with crowd-sourced label
 * distribution", ICMI 2016. As there, a class with a single vote is taken for a slip.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { readRegular } from '../regular-file.js';
import { inSlices } from '../slices.js';
import { classKey, inOrder } from './class-names.js';
import { rowsBySplit } from './data-set.js';
import { fer2013Csv, isVotes } from './fer2013-csv.js';
import type { DataForm, LoadOptions, Read } from './form.js';
import { FER_SPLITS } from './splits.js';

export const ferPlus: DataForm = {
  describe: 'FER+ beside FER2013',
  looks: [['fer2013new.csv', "FER+'s votes, with fer2013.csv or .csv.gz in the same folder; or that folder"]],
  matches: async (place, stats, head) => (stats.isFile() ? isVotes(head) : stats.isDirectory() && (await votesIn(place)) !== undefined),
  unpacked: true,
  read: readFerPlus,
};

const VOTES = /^fer2013new\.csv$/i;
const IMAGES = /^(?:fer2013|icml_face_data)\.csv(?:\.gz)?$/i;

/** Bytes; the release's has 1.6 million. */
const LONGEST = 1 << 25;
/** A class needs more than this share of the votes to be the majority's. */
const MAJORITY = 0.5;

async function votesIn(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder)).find((one) => VOTES.test(one));
  return name && path.join(folder, name);
}

interface Row {
  split: number;
  face: boolean;
  /** By column. */
  votes: number[];
}

interface Table {
  /** Names of the vote columns. */
  columns: string[];
  rows: Row[];
}

function* parse(text: string, file: string): Generator<void, Table> {
  const wrong = (line: number, reason: string): FerError =>
    new FerError('ERR_FER_DATA_FORMAT', `${file}, line ${line}: ${reason}`, { details: { file, line, reason } });
  const [header, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = header.split(',').map((name) => name.trim().replace(/^"|"$/g, '')).slice(2); // prettier-ignore
  if (columns.length < 3)
    throw wrong(1, `expected the columns Usage, Image name and one a class, got ${JSON.stringify(header.slice(0, 80))}`);
  const rows: Row[] = [];
  for (const [i, line] of lines.entries()) {
    yield;
    if (line.trim() === '') continue;
    const [usage, image, ...votes] = line.split(',').map((field) => field.trim());
    const split = FER_SPLITS.findIndex((name) => name === usage);
    if (split < 0) throw wrong(i + 2, `expected Usage Training, PublicTest or PrivateTest, got ${JSON.stringify(usage.slice(0, 24))}`);
    const counts = votes.map(Number);
    if (
      counts.length !== columns.length ||
      !counts.every((count, at) => votes[at] !== '' && Number.isInteger(count) && count >= 0 && count <= 25)
    )
      throw wrong(i + 2, `expected ${columns.length} whole numbers of votes, got ${JSON.stringify(votes.join().slice(0, 40))}`);
    rows.push({ split, face: image !== '', votes: counts });
  }
  return { columns, rows };
}

/**
 * Reads votes and images. Images without a face, and those that most took for unknown or no face, are left out; with majority's votes those
 * without a majority, too.
 * @throws {FerError} ERR_FER_DATA_FORMAT naming file, line and reason, or where the two files do not have the same rows.
 */
async function readFerPlus(place: string, options: LoadOptions): Promise<Read> {
  const file = (await stat(place)).isDirectory() ? (await votesIn(place))! : place;
  const folder = path.dirname(file);
  const beside = (await readdir(folder)).filter((name) => IMAGES.test(name)).sort()[0];
  if (beside === undefined)
    throw new FerError('ERR_FER_DATA_FORMAT', `${file} has FER+'s votes and no pixels: put fer2013.csv or fer2013.csv.gz beside it`, {
      details: { file },
    });
  const { columns, rows } = await inSlices(parse((await readRegular(file, { most: LONGEST })).toString('utf8'), file));
  const images = await fer2013Csv.read(path.join(folder, beside), { ...options, skipBadRows: false, classes: undefined });
  const splitOf = new Uint8Array(images.labels.length);
  for (const [name, list] of images.splits) for (const row of list) splitOf[row] = FER_SPLITS.findIndex((one) => one === name);
  const differs = rows.findIndex(({ split }, row) => split !== splitOf[row]);
  if (rows.length !== images.labels.length || differs >= 0)
    throw new FerError(
      'ERR_FER_DATA_FORMAT',
      `${file} and ${beside} do not belong together: ${rows.length} rows of votes and ${images.labels.length} images` +
        (differs >= 0 ? `, and row ${differs + 1} is in another split` : ''),
      { details: { file } },
    );
  const soft = options.votes === 'soft';
  const expressions = columns.map((name) => (/^(?:unknown|nf)$/i.test(name) ? undefined : classKey(name)));
  const classes = inOrder(expressions.filter((key) => key !== undefined));
  const placeOf = expressions.map((key) => (key === undefined ? -1 : classes.indexOf(key)));
  const counts = { 'no face': 0, 'unknown or no face by most votes': 0, 'no majority': 0 };
  const kept: number[] = [];
  const labels: number[] = [];
  const votes: number[] = [];
  for (const [row, { face, votes: given }] of rows.entries()) {
    const sure = given.map((count) => (count > 1 ? count : 0));
    const total = sure.reduce((sum, count) => sum + count, 0);
    const most = sure.indexOf(Math.max(...sure));
    if (!face) counts['no face']++;
    else if (total === 0 || (!soft && sure[most] <= MAJORITY * total)) counts['no majority']++;
    else if (placeOf[most] < 0) counts['unknown or no face by most votes']++;
    else {
      kept.push(row);
      labels.push(placeOf[most]);
      const each = new Array<number>(classes.length).fill(0);
      for (const [column, to] of placeOf.entries()) if (to >= 0) each[to] += sure[column];
      votes.push(...each);
    }
  }
  if (kept.length === 0) throw new FerError('ERR_FER_DATA_FORMAT', `${file}: no image has a class by its votes`, { details: { file } });
  const pixels = images.size * images.size;
  const left = Object.entries(counts).filter(([, count]) => count > 0);
  const out = new Uint8Array(kept.length * pixels);
  kept.forEach((row, i) => out.set(images.images.subarray(row * pixels, (row + 1) * pixels), i * pixels));
  return {
    ...images,
    name: 'FER+',
    source: place,
    classes,
    images: out,
    labels: Uint8Array.from(labels),
    ...(soft ? { votes: Uint8Array.from(votes) } : {}),
    splits: rowsBySplit(
      FER_SPLITS,
      Uint8Array.from(kept, (row) => splitOf[row]),
    ),
    notes: [
      `classes by ${soft ? 'all votes' : 'the majority of the votes'}: ${kept.length} of ${rows.length} images${left.length > 0 ? `; left out: ${left.map(([why, count]) => `${count} ${why}`).join(', ')}` : ''}`,
    ],
  };
}
