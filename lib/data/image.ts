/** Pictures in, grey squares out. */
import { readFile } from 'node:fs/promises';
import sharp, { type OutputInfo } from 'sharp';
import { FerError, invalidArgument } from '../errors.js';

/** A face's place in a picture, pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Bilinear resizing of grey images [count, from, from] to [count, to, to]: half-pixel centres, no antialiasing,
 * edges repeated, rounded to nearest, as OpenCV's INTER_LINEAR.
 */
export function resizeBilinear(images: Uint8Array, count: number, from: number, to: number): Uint8Array {
  if (from === to) return images;
  const near = new Int32Array(to);
  const next = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    near[i] = Math.floor(at);
    next[i] = Math.min(near[i] + 1, from - 1);
    weight[i] = at - near[i];
  }
  const out = new Uint8Array(count * to * to);
  for (let n = 0, o = 0; n < count; n++)
    for (let y = 0; y < to; y++) {
      const upper = (n * from + near[y]) * from;
      const lower = (n * from + next[y]) * from;
      for (let x = 0; x < to; x++, o++) {
        const [a, b, w] = [near[x], next[x], weight[x]];
        const top = images[upper + a] + (images[upper + b] - images[upper + a]) * w;
        const bottom = images[lower + a] + (images[lower + b] - images[lower + a]) * w;
        out[o] = Math.round(top + (bottom - top) * weight[y]);
      }
    }
  return out;
}

/** Grey values, row after row. */
export interface GreyPicture {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decodes any picture sharp knows (JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG), upright by its EXIF note, converts it to grey
 * and cuts out `box` if given.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_IMAGE_FORMAT, or ERR_FER_ARGUMENT for a box outside the picture.
 */
export async function readPicture(input: string | Uint8Array, cut?: Box): Promise<GreyPicture> {
  const name = typeof input === 'string' ? input : 'the image in memory';
  let bytes: Uint8Array;
  try {
    bytes = typeof input === 'string' ? await readFile(input) : input;
  } catch (cause) {
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${name} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
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
  const box = cut ?? { left: 0, top: 0, width, height };
  if (![box.left, box.top, box.width, box.height].every(Number.isInteger) || box.left < 0 || box.top < 0 || box.width < 1 || box.height < 1)
    invalidArgument('box', 'whole pixels left, top >= 0 and width, height >= 1', JSON.stringify(box));
  if (box.left + box.width > width || box.top + box.height > height)
    invalidArgument('box', `a box inside the ${width}x${height} picture`, JSON.stringify(box));
  const grey = await sharp(pixels.data, { raw: { width, height, channels: 1 } })
    .extract(box)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return { pixels: new Uint8Array(grey.buffer, grey.byteOffset, grey.length), width: box.width, height: box.height };
}

/** The grey square that a network sees: `readPicture`, stretched to [size, size]. */
export async function decodeImage(input: string | Uint8Array, options: { size: number; box?: Box }): Promise<Uint8Array> {
  const { pixels, width, height } = await readPicture(input, options.box);
  const square = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize(options.size, options.size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return new Uint8Array(square.buffer, square.byteOffset, options.size * options.size);
}
