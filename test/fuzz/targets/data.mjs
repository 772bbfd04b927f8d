/** Data sets: CSV through streams and gzip, Parquet, the compact form, and the packed copy that the next start reads. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { loadDataSet } from '../../../dist/index.js';
import { numberInNpy } from '../../../dist/data/affectnet.js';
import { writeCompact } from '../../../dist/data/compact.js';
import { mutatedBytes } from '../mutations.mjs';
import { checkData, SIZE, smallData } from '../small.mjs';

const csvText = () => {
  const { images, labels, size } = smallData(14);
  const rows = Array.from(labels, (label, i) => {
    const usage = ['Training', 'PublicTest', 'PrivateTest'][i % 3];
    return `${label},${images.slice(i * size * size, (i + 1) * size * size).join(' ')},${usage}`;
  });
  return Buffer.from(`emotion,pixels,Usage\n${rows.join('\n')}\n`);
};

const loadFrom =
  (name, options = {}) =>
  async (bytes, folder) => {
    const file = path.join(folder, name);
    await writeFile(file, bytes);
    checkData(await loadDataSet(file, { cache: false, ...options }));
  };

export const csv = {
  name: 'csv',
  prepare: () => mutatedBytes([csvText(), csvText().subarray(0, 4000)]),
  run: loadFrom('data.csv', { skipBadRows: true }),
};

export const gzip = {
  name: 'csv-gzip',
  prepare: () =>
    fc.oneof(
      mutatedBytes([gzipSync(csvText())]),
      mutatedBytes([csvText()]).map((text) => gzipSync(text)),
    ),
  run: loadFrom('data.csv.gz'),
};

export const parquet = {
  name: 'parquet',
  async prepare() {
    const folder = fileURLToPath(new URL('../../fixtures/parquet/', import.meta.url));
    const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet'));
    return mutatedBytes(await Promise.all(names.map((name) => readFile(path.join(folder, name)))));
  },
  run: loadFrom('data.parquet', { skipBadRows: true }),
};

export const compact = {
  name: 'fer',
  async prepare(folder) {
    const file = path.join(folder, 'seed.fer');
    await writeCompact(file, smallData(14), 'fast');
    return mutatedBytes([await readFile(file)]);
  },
  run: loadFrom('data.fer'),
};

/** Whatever its packed copy holds, a file is read as what it is. */
export const cache = {
  name: 'packed-cache',
  async prepare(folder) {
    this.source = path.join(folder, 'source.csv');
    this.cache = path.join(folder, 'cache');
    process.env.FER_CACHE_DIR = this.cache;
    await rm(this.cache, { recursive: true, force: true });
    await mkdir(this.cache);
    await writeFile(this.source, csvText());
    await utimes(this.source, 1e9, 1e9);
    this.right = await loadDataSet(this.source);
    [this.packed] = await readdir(this.cache);
    return mutatedBytes([await readFile(path.join(this.cache, this.packed))]);
  },
  async run(bytes) {
    await writeFile(path.join(this.cache, this.packed), bytes);
    const { images, labels, splits, classes } = await loadDataSet(this.source);
    assert.deepEqual({ images, labels, splits, classes }, pick(this.right), 'another data set than the file holds');
  },
};

const pick = ({ images, labels, splits, classes }) => ({ images, labels, splits, classes });

/** FER+'s votes beside images that are sound. */
export const votes = {
  name: 'ferplus-votes',
  async prepare(folder) {
    await writeFile(path.join(folder, 'fer2013.csv'), csvText());
    const header = 'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF';
    const rows = Array.from({ length: 14 }, (_, i) => {
      const usage = ['Training', 'PublicTest', 'PrivateTest'][i % 3];
      return `${usage},${i === 3 ? '' : `fer${i}.png`},${Array.from({ length: 10 }, (_, c) => (c === i % 9 ? 7 : c === 2 ? 3 : 0)).join()}`;
    });
    return mutatedBytes([Buffer.from([header, ...rows].join('\n'))]);
  },
  async run(bytes, folder) {
    await writeFile(path.join(folder, 'fer2013new.csv'), bytes);
    for (const use of ['majority', 'soft']) {
      const data = await loadDataSet(folder, { votes: use });
      checkData(data);
      if (use === 'soft') assert.equal(data.votes.length, data.labels.length * data.classes.length);
    }
  },
};

/** RAF-DB's list of labels beside faces. */
export const rafDbList = {
  name: 'rafdb-list',
  async prepare(folder) {
    await mkdir(path.join(folder, 'aligned'), { recursive: true });
    const face = await sharp(smallData().images.slice(0, SIZE * SIZE), { raw: { width: SIZE, height: SIZE, channels: 1 } })
      .jpeg()
      .toBuffer();
    const names = Array.from({ length: 6 }, (_, i) => `${i < 4 ? 'train' : 'test'}_0000${i}`);
    for (const name of names) await writeFile(path.join(folder, 'aligned', `${name}_aligned.jpg`), face);
    return mutatedBytes([Buffer.from(names.map((name, i) => `${name}.jpg ${(i % 7) + 1}\n`).join(''))]);
  },
  async run(bytes, folder) {
    await writeFile(path.join(folder, 'list_patition_label.txt'), bytes);
    checkData(await loadDataSet(folder));
  },
};

/** NumPy's file of one label, as AffectNet has them. */
export const npy = {
  name: 'affectnet-npy',
  prepare() {
    const file = (type, body) => {
      const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (), }`.padEnd(117) + '\n';
      return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header), Buffer.from(body)]);
    };
    return mutatedBytes([file('<U1', '3\0\0\0'), file('|S1', '3'), file('<i8', '\x03\0\0\0\0\0\0\0')]);
  },
  async run(bytes, folder) {
    const name = path.join(folder, '1_exp.npy');
    await writeFile(name, bytes);
    const label = await numberInNpy(name);
    assert.ok(Number.isInteger(label) && label >= 0 && label < 100, `a label of ${label}`);
  },
};
