/** JPEG and back, for many images at once. */
import { invalidArgument } from '../errors.js';
import type { ImageBatch } from '../data/image.js';

/** Blocks that JPEG transforms on their own, pixels. */
const BLOCK = 8;
/** The largest side that sharp's encoder takes. */
const LONGEST = 65_500;

/**
 * Every image of the batch through JPEG. Blocks of a grey baseline JPEG know nothing of one another, so that images stacked into one
 * tall picture come out as they would alone, at a fraction of the calls. Sides that are no multiple of a block are filled up by
 * repeating the border, as encoders do.
 */
export async function recompress({ images, count, width, height }: ImageBatch, quality: number): Promise<Uint8Array> {
  const filled = { width: Math.ceil(width / BLOCK) * BLOCK, height: Math.ceil(height / BLOCK) * BLOCK };
  if (filled.width > LONGEST || filled.height > LONGEST)
    invalidArgument('jpeg', `images of at most ${LONGEST} pixels a side`, `${width}x${height}`);
  const { default: sharp } = await import('sharp');
  const atOnce = Math.max(1, Math.floor(LONGEST / filled.height));
  const out = new Uint8Array(images.length);
  for (let first = 0; first < count; first += atOnce) {
    const some = Math.min(atOnce, count - first);
    const stack = images.subarray(first * width * height, (first + some) * width * height);
    const encoded = await sharp(refit(stack, some, { width, height }, filled), {
      raw: { ...filled, height: some * filled.height, channels: 1 },
    })
      .toColourspace('b-w')
      .jpeg({ quality })
      .toBuffer();
    const decoded = await sharp(encoded).toColourspace('b-w').raw().toBuffer();
    out.set(refit(decoded, some, filled, { width, height }), first * width * height);
  }
  return out;
}

interface Size {
  width: number;
  height: number;
}

/** Images of one size brought to another by leaving out at the right and below, or repeating the border there. */
function refit(images: Uint8Array, count: number, from: Size, to: Size): Uint8Array {
  if (from.width === to.width && from.height === to.height) return images;
  const out = new Uint8Array(count * to.width * to.height);
  for (let n = 0, at = 0; n < count; n++)
    for (let y = 0; y < to.height; y++) {
      const row = (n * from.height + Math.min(y, from.height - 1)) * from.width;
      for (let x = 0; x < to.width; x++) out[at++] = images[row + Math.min(x, from.width - 1)];
    }
  return out;
}
