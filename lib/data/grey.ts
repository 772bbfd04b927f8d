/** Grey from colour, the same to the bit in Node.js and in browsers. */

/** Pixels between two pauses: some tenths of a millisecond. */
const PIECE = 1 << 16;

/** ITU-R BT.601's weights of red, green and blue in 65536ths, as Pillow, OpenCV and JPEG weigh them; together exactly one. */
const [RED, GREEN, BLUE] = [19595, 38470, 7471];

/**
 * The luma of each pixel, rounded to nearest: [pixels], 0..255. `colours`: [pixels * channels], red, green and blue first, and of more channels
 * (alpha) nothing is read. Grey stays as it is. Rests now and then.
 */
export function* luma(colours: Uint8Array | Uint8ClampedArray, channels: 3 | 4): Generator<void, Uint8Array> {
  const grey = new Uint8Array(colours.length / channels);
  for (let start = 0; start < grey.length; start += PIECE) {
    weigh(colours, channels, grey, start, Math.min(start + PIECE, grey.length));
    yield;
  }
  return grey;
}

/** Beside the generator: V8 makes it faster so, by a third. */
function weigh(colours: Uint8Array | Uint8ClampedArray, channels: number, grey: Uint8Array, start: number, end: number): void {
  for (let i = start, at = start * channels; i < end; i++, at += channels)
    grey[i] = (colours[at] * RED + colours[at + 1] * GREEN + colours[at + 2] * BLUE + 32768) >> 16;
}
