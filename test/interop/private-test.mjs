// FER2013's PrivateTest, for checks that compare predictions on it.
import { loadDataSet, PRETRAINED } from '../../dist/index.js';

/** Names of the models in the package. */
export const PACKAGED = Object.keys(PRETRAINED);

/** Its images [n, size, size], in the order of the file. */
export async function privateTest(path) {
  const data = await loadDataSet(path);
  const rows = data.splits.get('PrivateTest');
  const each = data.size ** 2;
  const images = new Uint8Array(rows.length * each);
  rows.forEach((row, i) => images.set(data.images.subarray(row * each, (row + 1) * each), i * each));
  return { images, n: rows.length, size: data.size };
}
