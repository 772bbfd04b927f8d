/** Chosen rows of a data set, one after another. */
import type { LabelledImages } from './data-set.js';
import type { ImageBatch } from './image.js';

/** Their images [rows, size, size]. */
export function imagesOf({ images, size }: Pick<LabelledImages, 'images' | 'size'>, rows: ArrayLike<number>): Uint8Array {
  const pixels = size * size;
  const out = new Uint8Array(rows.length * pixels);
  for (let i = 0; i < rows.length; i++) out.set(images.subarray(rows[i] * pixels, (rows[i] + 1) * pixels), i * pixels);
  return out;
}

export const batchOf = (data: Pick<LabelledImages, 'images' | 'size'>, rows: ArrayLike<number>): ImageBatch => ({
  images: imagesOf(data, rows),
  count: rows.length,
  width: data.size,
  height: data.size,
});

/** Their labels [rows]. */
export const labelsOf = ({ labels }: Pick<LabelledImages, 'labels'>, rows: ArrayLike<number>): Uint8Array =>
  Uint8Array.from({ length: rows.length }, (_, i) => labels[rows[i]]);
