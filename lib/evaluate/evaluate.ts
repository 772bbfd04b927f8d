/** A network's figures on one split of a data set. */
import type { LabelledImages } from '../data/data-set.js';
import { labelsOf } from '../data/rows.js';
import { reportedSplit, rowsOf } from '../data/splits.js';
import { classificationMetrics, type ClassificationMetrics } from '../metrics/index.js';
import { checkClasses, type Network } from '../network/network.js';
import { residentData } from '../network/resident.js';

/** Which images, and whether their mirror images count. */
export interface EvaluateOptions {
  /** Default PrivateTest, or Test where there is no PrivateTest. */
  split?: string;
  /** Average each image with its mirror image. Default false. */
  flip?: boolean;
}

/**
 * Logits [n, classes] of one split, in its order.
 * @throws {FerError} ERR_FER_ARGUMENT for a split that is not there.
 */
export async function logitsOf(network: Network, data: LabelledImages, split: string, { flip }: { flip?: boolean }): Promise<Float32Array> {
  const rows = rowsOf(data, split);
  using resident = await residentData(data);
  const logits = await network.native.logitsOf(resident, rows, false);
  if (flip) (await network.native.logitsOf(resident, rows, true)).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
  return logits;
}

/**
 * Images of another size than the network's input are resized (bilinear) first.
 * @throws {FerError} ERR_FER_ARGUMENT for a split that is not there, or classes that are not the network's.
 */
export async function evaluate(network: Network, data: LabelledImages, options: EvaluateOptions): Promise<ClassificationMetrics> {
  checkClasses(network, data);
  const split = options.split ?? reportedSplit(data) ?? 'Test';
  const logits = await logitsOf(network, data, split, options);
  return classificationMetrics(logits, labelsOf(data, rowsOf(data, split)), network.metadata.classes);
}
