/** The header of a packed data set, checked: nothing of it is believed before. It loads when one is read, because zod takes its time. */
import { entry, list, object, read, text, whole, yes, type Rule } from '../schema.js';
import { MOST_CLASSES, type LabelledImages } from './data-set.js';

/** The largest side of an image, pixels. */
const LARGEST_SIDE = 4096;

/** What is written before the images, labels and rows. */
export interface PackedHeader extends Pick<LabelledImages, 'name' | 'source' | 'synthetic' | 'classes' | 'size' | 'notes' | 'badRows'> {
  /** Images. */
  count: number;
  /** Names of the splits, and how many rows each has. */
  splits: [name: string, rows: number][];
}

const different: Rule<PackedHeader> = function* ({ classes, splits }) {
  if (new Set(classes).size < classes.length) yield { at: ['classes'], expected: 'different names' };
  if (classes.length > MOST_CLASSES) yield { at: ['classes'], expected: `at most ${MOST_CLASSES} names` };
  if (new Set(splits.map(([name]) => name)).size < splits.length) yield { at: ['splits'], expected: 'different names' };
};

const header = object<PackedHeader>(
  {
    name: text(),
    source: text(),
    synthetic: yes(),
    classes: list(text()),
    size: whole(1, LARGEST_SIDE),
    notes: list(text()),
    badRows: list(object<LabelledImages['badRows'][number]>({ line: whole(), reason: text() })),
    count: whole(),
    splits: list(entry(whole())),
  },
  different,
);

/** @throws {Error} saying where it is not as it should be. */
export const readPackedHeader = (value: unknown): PackedHeader =>
  read(header, value, 'header', (reason) => {
    throw new Error(reason);
  });
