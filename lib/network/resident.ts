/** A data set in native memory, where networks read it. */
import { setImmediate } from 'node:timers/promises';
import type { LabelledImages } from '../data/data-set.js';
import { invalidArgument } from '../errors.js';
import { native, type NativeDataSet } from '../native.js';

/** Bytes that are copied at once: about two milliseconds, most of them for memory that is touched for the first time. */
const PIECE = 1 << 20;

/**
 * Images of another size than a network's input are resized (bilinear) as they are read. Free it with `using`.
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_OUT_OF_MEMORY
 */
export async function residentData({
  images,
  labels,
  size,
}: Pick<LabelledImages, 'images' | 'labels' | 'size'>): Promise<NativeDataSet & Disposable> {
  if (images.length !== labels.length * size * size)
    invalidArgument('data', `${labels.length} images of ${size}x${size} bytes, ${labels.length * size * size} in all`, images.length);
  const resident = new (native().DataSet)(labels.length, size);
  const rows = Math.max(1, Math.floor(PIECE / (size * size)));
  for (let row = 0; row < labels.length; row += rows) {
    if (row > 0) await setImmediate();
    resident.append(images.subarray(row * size * size, (row + rows) * size * size), labels.subarray(row, row + rows));
  }
  return Object.assign(resident, { [Symbol.dispose]: () => resident.dispose() });
}
