/** A data set in native memory, where networks read it. */
import type { LabelledImages } from '../data/data-set.js';
import { native, type NativeDataSet } from '../native.js';

/** Images of another size than a network's input are resized (bilinear) as they are read. Free it with `using`. */
export function residentData({ images, labels, size }: Pick<LabelledImages, 'images' | 'labels' | 'size'>): NativeDataSet & Disposable {
  const resident = new (native().DataSet)(images, labels, size);
  return Object.assign(resident, { [Symbol.dispose]: () => resident.dispose() });
}
