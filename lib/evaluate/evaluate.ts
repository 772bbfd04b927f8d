/** A network's figures on one split of a data set. */
import { underClasses, type ClassOverlap } from '../data/class-map.js';
import type { LabelledImages } from '../data/data-set.js';
import { labelsOf } from '../data/rows.js';
import { reportedSplit, rowsOf } from '../data/splits.js';
import { classificationMetrics, type ClassificationMetrics } from '../metrics/index.js';
import type { Network } from '../network/network.js';
import { FerError } from '../errors.js';
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

/** A network's figures, and what they are over where data and network have other classes. */
export interface Evaluation extends ClassificationMetrics {
  /** Where one side has classes that the other lacks: the figures are over those that both have. */
  overlap?: EvaluatedOverlap;
}

/** Classes that both sides have, and what was left out. */
export interface EvaluatedOverlap extends ClassOverlap {
  /** Images of the split, with those of classes that the network lacks. */
  images: number;
}

/**
 * Images of another size than the network's input are resized (bilinear) first. Classes are matched by name, in any order, case and word
 * ("anger" is "angry"). Where one side has classes that the other lacks, these are left out: images of the data's own, and what the
 * network says for its own.
 * @throws {FerError} ERR_FER_ARGUMENT for a split that is not there, or fewer than two classes in common.
 */
export async function evaluate(network: Network, data: LabelledImages, options: EvaluateOptions): Promise<Evaluation> {
  const split = options.split ?? reportedSplit(data) ?? 'Test';
  const images = rowsOf(data, split).length;
  const { classes } = network.metadata;
  const { data: under, overlap } = underClasses(data, classes);
  if (overlap.shared.length < 2 || !under.splits.has(split))
    throw new FerError(
      'ERR_FER_ARGUMENT',
      `expected images of at least two of the model's classes (${classes.join(', ')}), got ${data.classes.join(', ')}, for ${split} of ` +
        `${data.source}; say which are which with --classes`,
      { details: overlap as unknown as Record<string, unknown> },
    );
  const logits = await logitsOf(network, under, split, options);
  const labels = labelsOf(under, rowsOf(under, split));
  const { shared, onlyData, onlyNetwork } = overlap;
  if (onlyNetwork.length === 0 && onlyData.length === 0) return classificationMetrics(logits, labels, classes);
  const places = shared.map((name) => classes.indexOf(name));
  const among = Float32Array.from({ length: labels.length * places.length }, (_, i) => {
    const row = Math.floor(i / places.length);
    return logits[row * classes.length + places[i % places.length]];
  });
  const metrics = classificationMetrics(
    among,
    labels.map((label) => places.indexOf(label)),
    shared,
  );
  return { ...metrics, overlap: { ...overlap, images } };
}
