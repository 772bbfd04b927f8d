/** What a data set holds, and what is wrong with it: counts, blanks, and images that occur in more than one split. */
import { inSlices } from '../slices.js';
import type { LabelledImages } from './data-set.js';

/** What `auditDataSet` found. Pairs of splits are written "PrivateTest / Training". */
export interface DataAudit {
  /** Short name of the format. */
  name: string;
  /** Path it came from, or "synthetic faces". */
  source: string;
  /** Images. */
  n: number;
  /** Height and width of every image, pixels. */
  size: number;
  /** Images by split, then class. */
  counts: Record<string, Record<string, number>>;
  /** Of all pixels, 0..255. */
  mean: number;
  /** Standard deviation of all pixels, grey levels. */
  std: number;
  /** Rows whose pixels are all equal. */
  blank: number[];
  /** Groups of byte-identical images; blanks left out. */
  exactDuplicates: {
    /** Images in such groups. */
    images: number;
    /** Groups of two images or more. */
    groups: number;
    /** Groups by the pair of splits that they join. */
    acrossSplits: Record<string, number>;
    /** Groups whose images have different labels. */
    conflictingLabels: number;
  };
  /**
   * Pairs of images in different splits that look alike: difference hashes at most 3 of 64 bits apart and a mean
   * absolute pixel difference below 8 of 255; exact copies left out.
   */
  nearDuplicates: {
    /** Pairs of images by their pair of splits. */
    acrossSplits: Record<string, number>;
    /** Rows of the first ten pairs. */
    examples: [row: number, row: number][];
  };
  /** Rows left out on request. */
  badRows: number;
}

const HASH_BITS = 3;
const PIXEL_DIFFERENCE = 8;

/** Counts, statistics, blank images, copies and near copies across splits; about two seconds for FER2013, others may work meanwhile. */
export function auditDataSet(data: LabelledImages): Promise<DataAudit> {
  return inSlices(audit(data));
}

function* audit(data: LabelledImages): Generator<void, DataAudit> {
  const pixels = data.size * data.size;
  const n = data.labels.length;
  const image = (row: number): Uint8Array => data.images.subarray(row * pixels, (row + 1) * pixels);
  const splitOf: string[] = new Array<string>(n);
  const counts: DataAudit['counts'] = {};
  for (const [split, rows] of data.splits) {
    counts[split] = Object.fromEntries(data.classes.map((name) => [name, 0]));
    for (const row of rows) {
      counts[split][data.classes[data.labels[row]]]++;
      splitOf[row] = split;
    }
  }
  let sum = 0;
  let squares = 0;
  const blank: number[] = [];
  const byContent = new Map<string, number[]>();
  for (let row = 0; row < n; row++) {
    yield;
    const values = image(row);
    let rowSum = 0;
    let flat = true;
    for (let i = 0; i < pixels; i++) {
      rowSum += values[i];
      squares += values[i] * values[i];
      flat &&= values[i] === values[0];
    }
    sum += rowSum;
    if (flat) {
      blank.push(row);
      continue;
    }
    const key = Buffer.from(values.buffer, values.byteOffset, pixels).toString('latin1');
    const group = byContent.get(key);
    if (group) group.push(row);
    else byContent.set(key, [row]);
  }
  const count = Math.max(1, n * pixels);
  const mean = sum / count;

  const exact: DataAudit['exactDuplicates'] = { images: 0, groups: 0, acrossSplits: {}, conflictingLabels: 0 };
  const groups = [...byContent.values()];
  for (const group of groups) {
    yield;
    if (group.length < 2) continue;
    exact.groups++;
    exact.images += group.length;
    if (new Set(group.map((row) => data.labels[row])).size > 1) exact.conflictingLabels++;
    const joined = [...new Set(group.map((row) => splitOf[row]))];
    for (let i = 0; i < joined.length; i++) for (let j = i + 1; j < joined.length; j++) bump(exact.acrossSplits, joined[i], joined[j]);
  }
  return {
    name: data.name,
    source: data.source,
    n,
    size: data.size,
    counts,
    mean,
    std: Math.sqrt(Math.max(0, squares / count - mean * mean)),
    blank,
    exactDuplicates: exact,
    nearDuplicates: yield* nearDuplicates(
      groups.map((group) => group[0]),
      splitOf,
      image,
      data.size,
    ),
    badRows: data.badRows.length,
  };
}

function bump(counts: Record<string, number>, a: string, b: string): void {
  const key = [a, b].sort().join(' / ');
  counts[key] = (counts[key] ?? 0) + 1;
}

/** 64 bits: is each cell of a 9x8 grid brighter than its right neighbour? As four 16-bit words. */
function differenceHash(image: Uint8Array, size: number, out: Uint16Array, at: number): void {
  const cells = new Float64Array(72);
  for (let gy = 0; gy < 8; gy++)
    for (let gx = 0; gx < 9; gx++) {
      const [y0, y1, x0, x1] = [(gy * size) / 8, ((gy + 1) * size) / 8, (gx * size) / 9, ((gx + 1) * size) / 9].map(Math.floor);
      let sum = 0;
      for (let y = y0; y < Math.max(y1, y0 + 1); y++) for (let x = x0; x < Math.max(x1, x0 + 1); x++) sum += image[y * size + x];
      cells[gy * 9 + gx] = sum / (Math.max(y1 - y0, 1) * Math.max(x1 - x0, 1));
    }
  for (let gy = 0; gy < 8; gy++)
    for (let gx = 0; gx < 8; gx++) if (cells[gy * 9 + gx] > cells[gy * 9 + gx + 1]) out[at + (gy >> 1)] |= 1 << ((gy & 1) * 8 + gx);
}

function* nearDuplicates(
  rows: number[],
  splitOf: string[],
  image: (row: number) => Uint8Array,
  size: number,
): Generator<void, DataAudit['nearDuplicates']> {
  const hashes = new Uint16Array(rows.length * 4);
  for (const [i, row] of rows.entries()) {
    differenceHash(image(row), size, hashes, i * 4);
    yield;
  }
  // Hashes at most 3 bits apart agree in at least one of four 16-bit words: compare only within such buckets.
  const result: DataAudit['nearDuplicates'] = { acrossSplits: {}, examples: [] };
  const seen = new Set<number>();
  for (let word = 0; word < 4; word++) {
    const buckets = new Map<number, number[]>();
    for (let i = 0; i < rows.length; i++) {
      const key = hashes[i * 4 + word];
      const bucket = buckets.get(key);
      if (bucket) bucket.push(i);
      else buckets.set(key, [i]);
    }
    for (const bucket of buckets.values())
      for (let a = 0; a < bucket.length; a++, yield)
        for (let b = a + 1; b < bucket.length; b++) {
          const [i, j] = [bucket[a], bucket[b]];
          if (splitOf[rows[i]] === splitOf[rows[j]] || hashDistance(hashes, i, j) > HASH_BITS) continue;
          const pair = i * rows.length + j;
          if (seen.has(pair) || meanDifference(image(rows[i]), image(rows[j])) >= PIXEL_DIFFERENCE) continue;
          seen.add(pair);
          bump(result.acrossSplits, splitOf[rows[i]], splitOf[rows[j]]);
          if (result.examples.length < 10) result.examples.push([rows[i], rows[j]]);
        }
  }
  return result;
}

function hashDistance(hashes: Uint16Array, i: number, j: number): number {
  let bits = 0;
  for (let word = 0; word < 4; word++) for (let x = hashes[i * 4 + word] ^ hashes[j * 4 + word]; x; x &= x - 1) bits++;
  return bits;
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}
