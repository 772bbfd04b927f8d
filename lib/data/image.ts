/** Pictures in, grey squares out. */
import type { Sharp } from 'sharp';
import { FerError, invalidArgument } from '../errors.js';
import { native } from '../native.js';
import { readRegular } from '../regular-file.js';
import { inSlices } from '../slices.js';
import { contentOf, SVG_PICTURE as SVG } from './content.js';
import { luma } from './grey.js';
import { greyBytes } from './pixels.js';
import { stretched } from './stretch.js';
import { costOfSvg } from './svg.js';

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
  /** [height * width], row after row: 0..255, rounded. */
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

/** Red, green and blue, row after row. */
export interface ColourPicture {
  /** [height * width * 3], 0..255. */
  pixels: Uint8Array;
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
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
 * Any input as a grey picture; pixels are rounded to bytes.
 * @throws {FerError} as `readPicture`, and ERR_FER_ARGUMENT for pixels that are not width x height values of 0 to 255, that lie within
 * 0..1 or -1..1 in fractions, or that come with a box.
 */
export async function greyPicture(input: ImageInput, box?: Box, mostPixels?: number): Promise<GreyPicture> {
  if (isEncoded(input)) return readPicture(input, box, mostPixels);
  const { pixels, width, height } = (input ?? {}) as Partial<Pixels>;
  if (!pixels || width === undefined || height === undefined)
    invalidArgument('image', 'a path, an encoded picture, or { pixels, width, height }', input);
  if (box) invalidArgument('box', 'no box with raw pixels (cut them yourself)', box);
  return { pixels: await greyBytes(pixels, width, height), width, height };
}

/** The most pixels that a picture may have, the largest file, bytes, and how long decoding may take, seconds. */
const LIMITS = { pixels: 100e6, bytes: 512e6, seconds: 30 };

/**
 * Decodes any picture sharp knows (JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG without filters), upright by its EXIF note, converts it to
 * grey (`luma`) and cuts out `box` if given. At most 100 million pixels or `mostPixels`, 30 seconds.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT, or ERR_FER_ARGUMENT for a box outside the picture.
 */
export async function readPicture(input: string | Uint8Array, box?: Box, mostPixels = LIMITS.pixels): Promise<GreyPicture> {
  const grey = await greyOf(await readColour(input, mostPixels));
  return box ? partOf(grey, box, nameOf(input)) : grey;
}

/**
 * The picture in red, green and blue, as large as `readPicture` gives it.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT
 */
export async function readColour(input: string | Uint8Array, mostPixels = LIMITS.pixels): Promise<ColourPicture> {
  const bytes = typeof input === 'string' ? await readRegular(input, { most: LIMITS.bytes }) : input;
  return decoded(bytes, nameOf(input), mostPixels);
}

export const greyOf = async ({ pixels, width, height }: ColourPicture): Promise<GreyPicture> => ({
  pixels: await inSlices(luma(pixels, 3)),
  width,
  height,
});

const nameOf = (input: string | Uint8Array): string => (typeof input === 'string' ? input : 'the image in memory');

/** `box` of a picture called `name`. @throws {FerError} ERR_FER_ARGUMENT */
function partOf({ pixels, width, height }: GreyPicture, box: Box, name: string): GreyPicture {
  const { left, top, width: across, height: down } = box;
  const given = [left, top, across, down].join();
  if (![left, top, across, down].every(Number.isInteger) || left < 0 || top < 0 || across < 1 || down < 1)
    invalidArgument('box', 'whole pixels left, top >= 0 and width, height >= 1', given);
  if (left + across > width || top + down > height) invalidArgument(`box in ${name}`, `a box inside the ${width}x${height} picture`, given);
  const part = new Uint8Array(across * down);
  for (let row = 0; row < down; row++) {
    const from = (top + row) * width + left;
    part.set(pixels.subarray(from, from + across), row * across);
  }
  return { pixels: part, width: across, height: down };
}

/** Pixels of a picture that memory is asked for first. */
const LARGE = 4e6;
/** Its colours and their grey, bytes a pixel; and its colours once more while it is turned upright. */
const BYTES = 3 + 1;
const TURNING = 3;

/**
 * The picture upright, on black where it is transparent.
 * @throws {FerError} ERR_FER_IMAGE_FORMAT, ERR_FER_OUT_OF_MEMORY
 */
async function decoded(bytes: Uint8Array, name: string, mostPixels: number): Promise<ColourPicture> {
  const unreadable = (reason: string, cause?: unknown): FerError =>
    new FerError('ERR_FER_IMAGE_FORMAT', `${name} is not a readable image: ${reason}`, { cause, details: { file: name, reason } });
  if (bytes.length === 0) throw unreadable('it is empty');
  const content = contentOf(bytes);
  if (content && !content.picture) throw unreadable(`it is ${content.name}${content.advice ? `: ${content.advice}` : ''}`);
  const { default: sharp } = await import('sharp');
  const picture = (most: number): Sharp => sharp(bytes, { failOn: 'error', limitInputPixels: most });
  const decode = async (most: number): Promise<ColourPicture> => {
    const upright = picture(most).rotate().flatten({ background: '#000' }).toColourspace('srgb').removeAlpha();
    const { data, info } = await upright.raw().timeout({ seconds: LIMITS.seconds }).toBuffer({ resolveWithObject: true });
    return { pixels: bytesOf(data), width: info.width, height: info.height };
  };
  try {
    // What is known for another form need not be asked twice.
    if (content === undefined || content.name === SVG) {
      const { format, width, height } = await picture(mostPixels).metadata();
      const cost = format === 'svg' ? costOfSvg(bytes, width * height) : undefined;
      if (cost) throw unreadable(cost);
    }
    return await decode(Math.min(LARGE, mostPixels)).catch(async (error: Error) => {
      if (mostPixels <= LARGE || !isTooLarge(error)) throw error;
      const { width, height, orientation = 1 } = await picture(mostPixels).metadata();
      native().requireMemory((BYTES + (orientation > 1 ? TURNING : 0)) * width * height, `a picture of ${width}x${height} pixels`);
      return decode(mostPixels);
    });
  } catch (cause) {
    throw cause instanceof FerError ? cause : unreadable(reasonOf(cause as Error, content?.name, mostPixels), cause);
  }
}

const isTooLarge = ({ message }: Error): boolean => /pixel limit/i.test(message);

/** What sharp says, in words that help: some of its own are "Unknown error", or end at a colon. */
function reasonOf(error: Error, content: string | undefined, mostPixels: number): string {
  if (isTooLarge(error)) return `it has more than ${mostPixels / 1e6} million pixels`;
  if (/^timeout/i.test(error.message)) return `it takes longer than ${LIMITS.seconds} s to decode`;
  if (content === undefined) return 'its content is of no form that is read here (JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG)';
  const said = error.message.split('\n')[0].replace(/:\s*$/, '');
  return `it is ${content}, damaged or cut short${/unknown error/i.test(said) ? '' : ` (${said})`}`;
}

/** `picture` stretched to a square [size, size], with antialiasing where it shrinks. */
export const stretch = (picture: GreyPicture, size: number): Promise<Uint8Array> => inSlices(stretched(picture, size));

/**
 * The grey square that a network sees, [size, size], 0..255: a path or an encoded picture, `box` cut out of it (default all of it),
 * stretched to `size` pixels.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT, ERR_FER_ARGUMENT for a box outside the picture
 */
export async function decodeImage(input: string | Uint8Array, options: { size: number; box?: Box }): Promise<Uint8Array> {
  return stretch(await readPicture(input, options.box), options.size);
}

/** A plain view: a Buffer's slice() would not copy. */
const bytesOf = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
