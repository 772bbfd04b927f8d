/**
 * Stretching to a square, the same to the bit in Node.js and in browsers: a triangle filter as wide as the step, which averages where a
 * picture shrinks and is plain bilinear where it grows; half-pixel centres. Pillow's BILINEAR does the same, and rounds once more.
 */

/** Grey, row after row. */
interface Grey {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** Pixels between two pauses: some tenths of a millisecond. */
const PIECE = 1 << 16;

/** Of each of `to` pixels: where those of `from` that it reads begin, and their weights, `most` a pixel. */
interface Taps {
  first: Int32Array;
  count: Int32Array;
  weights: Float64Array;
  most: number;
}

function tapsOf(from: number, to: number): Taps {
  const step = from / to;
  const reach = Math.max(step, 1);
  const most = Math.ceil(2 * reach) + 1;
  const [first, count, weights] = [new Int32Array(to), new Int32Array(to), new Float64Array(to * most)];
  for (let i = 0; i < to; i++) {
    const middle = (i + 0.5) * step;
    const begin = Math.max(0, Math.floor(middle - reach + 0.5));
    const end = Math.min(from, Math.floor(middle + reach + 0.5));
    let sum = 0;
    for (let k = begin; k < end; k++) sum += weights[i * most + k - begin] = Math.max(0, 1 - Math.abs(k + 0.5 - middle) / reach);
    for (let k = 0; k < end - begin; k++) weights[i * most + k] /= sum;
    first[i] = begin;
    count[i] = end - begin;
  }
  return { first, count, weights, most };
}

/** `picture` as [size, size], rounded to nearest. Rests now and then. */
export function* stretched({ pixels, width, height }: Grey, size: number): Generator<void, Uint8Array> {
  const out = new Uint8Array(size * size);
  const [across, down] = [tapsOf(width, size), tapsOf(height, size)];
  const row = new Float64Array(width);
  let since = 0;
  for (let y = 0; y < size; y++) {
    row.fill(0);
    for (let k = 0; k < down.count[y]; k++) {
      addRow(row, pixels, (down.first[y] + k) * width, down.weights[y * down.most + k]);
      if ((since += width) < PIECE) continue;
      since = 0;
      yield;
    }
    sumUp(row, across, out, y * size);
  }
  return out;
}

function addRow(row: Float64Array, pixels: Uint8Array, from: number, weight: number): void {
  for (let x = 0; x < row.length; x++) row[x] += weight * pixels[from + x];
}

function sumUp(row: Float64Array, { first, count, weights, most }: Taps, out: Uint8Array, at: number): void {
  for (let x = 0; x < first.length; x++) {
    const [from, taps, base] = [first[x], count[x], x * most];
    let sum = 0.5;
    for (let k = 0; k < taps; k++) sum += weights[base + k] * row[from + k];
    out[at + x] = sum;
  }
}
