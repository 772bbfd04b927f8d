/** Data sets: CSV through streams and gzip, Parquet, the compact form, and the packed copy that the next start reads. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { loadDataSet } from '../../../dist/index.js';
import { writeCompact } from '../../../dist/data/compact.js';
import { mutatedBytes } from '../mutations.mjs';
import { checkData, smallData } from '../small.mjs';

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
