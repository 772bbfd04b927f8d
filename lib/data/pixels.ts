/** Grey values from outside, as bytes: what is no grey picture of 0 to 255 gets no answer. */
import { FerError, invalidArgument } from '../errors.js';
import { inSlices } from '../slices.js';

/** Values between two pauses: about a millisecond. */
const PIECE = 1 << 16;

const wrong = (expected: string, got: string): never => {
  throw new FerError('ERR_FER_ARGUMENT', `expected ${expected}, got ${got}, for image.pixels`);
};

/** What `count` values for `expected` pixels look like. */
function likely(count: number, expected: number): string {
  if (count === 3 * expected) return ' (three a pixel looks like RGB: make it grey)';
  return count === 4 * expected ? ' (four a pixel looks like RGBA: make it grey)' : '';
}

/**
 * `pixels` rounded to bytes.
 * @throws {FerError} ERR_FER_ARGUMENT where they are not width x height numbers of 0 to 255, or lie within 0..1 or -1..1 in fractions.
 */
export async function greyBytes(pixels: ArrayLike<number>, width: number, height: number): Promise<Uint8Array> {
  if (![width, height].every((side) => Number.isSafeInteger(side) && side > 0))
    invalidArgument('image', 'whole numbers from 1 as width and height', `${width}x${height}`);
  const expected = width * height;
  if (pixels.length !== expected)
    wrong(`width x height = ${width} x ${height} = ${expected} values`, `${pixels.length}${likely(pixels.length, expected)}`);
  if (pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray) return Uint8Array.from(pixels);
  return inSlices(checked(pixels));
}

function* checked(pixels: ArrayLike<number>): Generator<void, Uint8Array> {
  const bytes = new Uint8ClampedArray(pixels.length);
  let fractions = false;
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < bytes.length; i++) {
    const value: unknown = pixels[i];
    if (typeof value !== 'number' || !Number.isFinite(value)) return wrong('numbers of 0 to 255', `${String(value)} at ${i}`);
    bytes[i] = value;
    least = Math.min(least, value);
    most = Math.max(most, value);
    fractions ||= !Number.isInteger(value);
    if (i % PIECE === PIECE - 1) yield;
  }
  if (fractions && least >= -1 && most <= 1 && least < most)
    wrong('values of 0 to 255', least < 0 ? 'values within -1..1 (add 1 and multiply by 127.5)' : 'values within 0..1 (multiply by 255)');
  if (least < 0 || most > 255)
    wrong('values of 0 to 255', `${least} to ${most}${least >= 0 && most <= 65535 ? ' (of 16 bits? divide by 257)' : ''}`);
  return new Uint8Array(bytes.buffer);
}
