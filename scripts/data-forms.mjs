#!/usr/bin/env node
// Every form of data that is read, as a small sample of drawn faces: what is read of it, and the figures on it of a network that was
// trained on other drawn faces under FER2013's classes, over the classes in common. Needs a build.
//   node scripts/data-forms.mjs [--folder build/data-forms] [--write]        --write puts the table into docs/data.md
// The faces are drawn: the figures show that forms and classes are read right, and say nothing about photographs.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { readFlags } from './flags.mjs';
import { FER_CLASSES, loadDataSet, MiniXception, syntheticFaces } from '../dist/index.js';
import { CLASS_ORDERS } from '../dist/data/class-names.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = readFlags({
  options: { folder: { type: 'string', default: path.join(root, 'build/data-forms') }, write: { type: 'boolean' } },
});
const SIZE = 48;
const EACH = 24; // faces a class

/** Faces that no training has seen, and their classes. Neutral ones stand for contempt, which no face is drawn with: it is left out. */
const drawn = syntheticFaces({ size: SIZE, seed: 1 });
const rowsOf = (name) => [...drawn.labels.keys()].filter((row) => drawn.labels[row] === FER_CLASSES.indexOf(name));
const pixelsOf = (row) => drawn.images.subarray(row * SIZE * SIZE, (row + 1) * SIZE * SIZE);
function facesOf(name) {
  const rows = name === 'contempt' ? rowsOf('neutral').slice(EACH, 2 * EACH) : rowsOf(name).slice(0, EACH);
  return rows.map(pixelsOf);
}

const place = (...parts) => {
  const file = path.join(flags.folder, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  return file;
};
const encode = (pixels, format) =>
  sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 1 } })
    .toFormat(format, { quality: 95 })
    .toBuffer();
const put = async (pixels, format, ...parts) => writeFileSync(place(...parts), await encode(pixels, format));
const number = (n, digits) => String(n).padStart(digits, '0');
const NOUNS = { angry: 'anger', happy: 'happy', sad: 'sadness', surprise: 'surprise' };

function csv(columns, file, pack = (text) => text) {
  const rows = FER_CLASSES.flatMap((name, label) =>
    facesOf(name).map((pixels, i) => ({
      emotion: label,
      pixels: `"${pixels.join(' ')}"`,
      Usage: i < 16 ? 'Training' : i < 20 ? 'PublicTest' : 'PrivateTest',
    })),
  );
  writeFileSync(place(...file), pack([columns.join(), ...rows.map((row) => columns.map((column) => row[column]).join())].join('\n')));
  return rows;
}

async function foldersByNumber(order, splits, ...base) {
  const { first, classes } = CLASS_ORDERS[order];
  for (const [c, name] of classes.entries())
    for (const [i, pixels] of facesOf(name).entries())
      await put(pixels, 'png', ...base, splits[i < 16 ? 0 : 1], String(first + c), `${i}.png`);
}

/** NumPy's file of one letter, as AffectNet has its labels. */
function npy(label) {
  const header = `${"{'descr': '<U1', 'fortran_order': False, 'shape': (), }".padEnd(117)}\n`;
  const length = Buffer.from([header.length, 0]);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), Buffer.from(`${label}\0\0\0`, 'latin1')]);
}

/** Makes a sample; what to load, and how. */
const FORMS = [
  ['fer2013.csv', () => csv(['emotion', 'pixels', 'Usage'], ['csv', 'fer2013.csv']), 'csv/fer2013.csv', {}],
  ['fer2013.csv.gz, without its name', () => csv(['emotion', 'pixels', 'Usage'], ['gz', 'download'], gzipSync), 'gz/download', {}],
  ['train.csv, divided', () => csv(['emotion', 'pixels'], ['kaggle', 'train.csv']), 'kaggle/train.csv', { splitBy: 'random' }],
  [
    'FER+, majority',
    () => {
      const rows = csv(['emotion', 'pixels', 'Usage'], ['ferplus', 'fer2013.csv']);
      const columns = ['neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt', 'unknown', 'NF'];
      // Seven in ten see what was drawn; every 20th face nobody knows, every 30th is none.
      const lines = rows.map(({ emotion, Usage }, i) => {
        const votes = new Array(10).fill(0);
        votes[i % 20 === 19 ? 8 : CLASS_ORDERS.ferplus.classes.indexOf(FER_CLASSES[emotion])] += 7;
        votes[i % 7] += 3;
        return [Usage, i % 30 === 29 ? '' : `fer${number(i, 7)}.png`, ...votes].join();
      });
      writeFileSync(place('ferplus', 'fer2013new.csv'), [['Usage', 'Image name', ...columns].join(), ...lines].join('\n'));
    },
    'ferplus',
    {},
  ],
  ['FER+, all votes', () => {}, 'ferplus', { votes: 'soft' }],
  [
    'CK+48, divided by subject',
    async () => {
      for (const name of ['angry', 'contempt', 'disgust', 'fear', 'happy', 'sad', 'surprise'])
        for (const [i, pixels] of facesOf(name).entries())
          await put(pixels, 'png', 'ck+48', NOUNS[name] ?? name, `S${number(10 + (i % 12), 3)}_00${1 + (i % 6)}_${number(i, 8)}.png`);
    },
    'ck+48',
    { splitBy: 'subject' },
  ],
  ['CK+48, whole', () => {}, 'ck+48', {}, 'Training'],
  [
    'RAF-DB, list and aligned faces',
    async () => {
      const lines = [];
      for (const [c, name] of CLASS_ORDERS.rafdb.classes.entries())
        for (const [i, pixels] of facesOf(name).entries()) {
          const stem = i < 16 ? `train_${number(c * 100 + i, 5)}` : `test_${number(c * 100 + i, 4)}`;
          lines.push(`${stem}.jpg ${c + 1}`);
          await put(pixels, 'jpeg', 'rafdb', 'Image', 'aligned', `${stem}_aligned.jpg`);
        }
      writeFileSync(place('rafdb', 'EmoLabel', 'list_patition_label.txt'), `${lines.join('\n')}\n`);
    },
    'rafdb',
    {},
  ],
  ['RAF-DB, folders 1 to 7', () => foldersByNumber('rafdb', ['train', 'test'], 'rafdb-folders'), 'rafdb-folders', {}],
  [
    'AffectNet, annotations',
    async () => {
      for (const [c, name] of CLASS_ORDERS.affectnet.classes.entries())
        for (const [i, pixels] of facesOf(name).entries()) {
          const [set, id] = [i < 16 ? 'train_set' : 'val_set', c * 100 + i];
          await put(pixels, 'jpeg', 'affectnet', set, 'images', `${id}.jpg`);
          writeFileSync(place('affectnet', set, 'annotations', `${id}_exp.npy`), npy(i % 12 === 11 ? 9 : c));
        }
    },
    'affectnet',
    {},
    'PublicTest',
  ],
  [
    'AffectNet, folders 0 to 7',
    () => foldersByNumber('affectnet', ['train', 'val'], 'affectnet-folders'),
    'affectnet-folders',
    {},
    'PublicTest',
  ],
  [
    'SFEW',
    async () => {
      for (const name of FER_CLASSES)
        for (const [i, pixels] of facesOf(name).entries())
          if (i < 22) await put(pixels, 'png', 'sfew', i < 16 ? 'Train' : 'Val', name[0].toUpperCase() + name.slice(1), `${i}.png`);
          else await put(pixels, 'png', 'sfew', 'Test', `${name}${i}.png`);
    },
    'sfew',
    {},
    'PublicTest',
  ],
];

rmSync(flags.folder, { recursive: true, force: true });
const model = MiniXception.create({ width: { stem: [4, 8], modules: [8, 16, 32] }, inputSize: SIZE, seed: 0, threads: 1 });
await model.fit(syntheticFaces({ size: SIZE }), { preset: 'quick', epochs: 4, seed: 0, selectBy: 'last' });

const rows = [];
for (const [name, make, where, options, split] of FORMS) {
  await make();
  const data = await loadDataSet(path.join(flags.folder, where), { size: SIZE, cache: false, ...options });
  const counts = [...data.splits].map(([each, list]) => `${each} ${list.length}`).join(', ');
  const { n, accuracy, overlap } = await model.evaluate(data, { split });
  const images = overlap?.images ?? n;
  const left = [...(overlap?.onlyData ?? []).map((one) => `${one} (data)`), ...(overlap?.onlyNetwork ?? []).map((one) => `${one} (model)`)];
  rows.push([name, counts, String(data.classes.length), left.join(', ') || '–', `${n} of ${images}`, `${(100 * accuracy).toFixed(1)} %`]);
}
model.dispose();

const header = ['form', 'read', 'classes', 'left out', 'n', 'accuracy'];
const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i].length)));
for (const row of [header, ...rows])
  console.log(
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );

if (flags.write) {
  const page = path.join(root, 'docs/data.md');
  const table = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const [before, after] = ['<!-- samples -->', '<!-- end of samples -->'];
  const text = readFileSync(page, 'utf8');
  const cut = text.slice(0, text.indexOf(before) + before.length);
  writeFileSync(page, `${cut}\n\n${table}\n\n${text.slice(text.indexOf(after))}`);
  execFileSync('npx', ['prettier', '--write', page], { cwd: root, stdio: 'ignore' });
}
