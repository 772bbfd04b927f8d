/** What a run learnt from, in counts: `data.json` of its folder, from which its card is written. */
import type { LabelledImages } from '../data/data-set.js';
import { list, object, text, whole, yes, type Schema } from '../schema.js';

export interface DataSummary {
  /** The form, such as "FER2013 CSV". */
  name: string;
  /** The file's or folder's own name, without the path to it. */
  source: string;
  /** Drawn by this package. */
  synthetic: boolean;
  /** Side of the images, pixels. */
  size: number;
  classes: string[];
  /** Images of each class, a split. */
  splits: { name: string; counts: number[] }[];
  notes: string[];
}

export function summaryOf({ name, source, synthetic, size, classes, splits, labels, notes }: LabelledImages): DataSummary {
  const counted = [...splits].map(([split, rows]) => {
    const counts = new Array<number>(classes.length).fill(0);
    for (const row of rows) counts[labels[row]]++;
    return { name: split, counts };
  });
  return { name, source: source.split('/').pop()!, synthetic, size, classes: [...classes], splits: counted, notes: [...notes] };
}

/** Of `data.json`. */
export const dataSummary: Schema<DataSummary> = object<DataSummary>({
  name: text(),
  source: text(),
  synthetic: yes(),
  size: whole(1),
  classes: list(text()),
  splits: list(object({ name: text(), counts: list(whole()) })),
  notes: list(text()),
});
