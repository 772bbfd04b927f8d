/** Pictures in, grey squares out. */
import { readFile } from 'node:fs/promises';
import type { OutputInfo, Sharp } from 'sharp';
import { FerError, invalidArgument } from '../errors.js';

/** A face's place in a picture, pixels. */
export interface Box {
  /** Columns to the left of it, from 0. */
  left: number;
  /** Rows above it, from 0. */
  top: number;
  /** Columns, at least 1. */
  width: number;
  /** Rows, at least 1. */
  height: number;
}

/** Grey pixels, row after row: 0..255. */
export interface Pixels {
  /** [height * width], row after row; rounded and clamped to 0..255. */
  pixels: ArrayLike<number>;
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
}

/** The same as bytes, as a picture is once it is decoded. */
export interface GreyPicture extends Pixels {
  /** [height * width], row after row: 0..255. */
  pixels: Uint8Array;
}

/** Grey images of one size, one after another: [count, height, width]. */
export interface ImageBatch {
  /** [count * height * width], 0..255. */
  images: Uint8Array;
  /** Images. */
  count: number;
  /** Columns of each. */
  width: number;
  /** Rows of each. */
  height: number;
}

/** A path, an encoded picture in memory (JPEG, PNG, ...), or grey pixels. */
export type ImageInput = string | Uint8Array | Pixels;

export const isEncoded = (input: ImageInput): input is string | Uint8Array => typeof input === 'string' || input instanceof Uint8Array;

/**
 * Any input as a grey picture; pixels are rounded and clamped to bytes.
 * @throws {FerError} as `readPicture`, and ERR_FER_ARGUMENT for pixels that are not width x height values, or that come with a box.
 */
export async function greyPicture(input: ImageInput, box?: Box): Promise<GreyPicture> {
  if (isEncoded(input)) return readPicture(input, box);
  const { pixels, width, height } = (input ?? {}) as Pixels;
  if (!pixels || pixels.length !== width * height || !(pixels.length > 0))
    invalidArgument('image', 'a path, an encoded picture, or { pixels, width, height } with width x height values', input);
  if (box) invalidArgument('box', 'no box with raw pixels (cut them yourself)', box);
  return { pixels: new Uint8Array(Uint8ClampedArray.from(pixels).buffer), width, height };
}

/**
 * Decodes any picture sharp knows (JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG), upright by its EXIF note, converts it to grey
 * and cuts out `box` if given.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT, or ERR_FER_ARGUMENT for a box outside the picture.
 */
export async function readPicture(input: string | Uint8Array, box?: Box): Promise<GreyPicture> {
  const name = typeof input === 'string' ? input : 'the image in memory';
  let bytes: Uint8Array;
  try {
    bytes = typeof input === 'string' ? await readFile(input) : input;
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${name} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  const { default: sharp } = await import('sharp');
  let pixels: { data: Buffer; info: OutputInfo };
  try {
    pixels = await sharp(bytes, { failOn: 'error' })
      .rotate()
      .flatten({ background: '#000' })
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new FerError('ERR_FER_IMAGE_FORMAT', `${name} is not a readable image: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
  const { width, height } = pixels.info;
  if (!box) return { pixels: bytesOf(pixels.data), width, height };
  if (![box.left, box.top, box.width, box.height].every(Number.isInteger) || box.left < 0 || box.top < 0 || box.width < 1 || box.height < 1)
    invalidArgument('box', 'whole pixels left, top >= 0 and width, height >= 1', JSON.stringify(box));
  if (box.left + box.width > width || box.top + box.height > height)
    invalidArgument('box', `a box inside the ${width}x${height} picture`, JSON.stringify(box));
  const part = await greyBytes(sharp(pixels.data, { raw: { width, height, channels: 1 } }).extract(box));
  return { pixels: part, width: box.width, height: box.height };
}

/** `picture` stretched to a square [size, size] as sharp resizes: with antialiasing where it shrinks. */
export async function stretch({ pixels, width, height }: GreyPicture, size: number): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  return greyBytes(
    sharp(pixels, { raw: { width, height, channels: 1 } }).resize(size, size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false }),
  );
}

/**
 * The grey square that a network sees, [size, size], 0..255: a path or an encoded picture, `box` cut out of it (default all of it),
 * stretched to `size` pixels.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT, ERR_FER_ARGUMENT for a box outside the picture
 */
export async function decodeImage(input: string | Uint8Array, options: { size: number; box?: Box }): Promise<Uint8Array> {
  return stretch(await readPicture(input, options.box), options.size);
}

const greyBytes = async (picture: Sharp): Promise<Uint8Array> => bytesOf(await picture.toColourspace('b-w').raw().toBuffer());

/** A plain view: a Buffer's slice() would not copy. */
const bytesOf = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
