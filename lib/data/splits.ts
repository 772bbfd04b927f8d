/** The splits that programs here know by name: FER2013's three, and Test where its last two came joined. */
import { invalidArgument } from '../errors.js';
import type { LabelledImages } from './data-set.js';

/** FER2013's, in the order of the native parser's numbers: what is learnt from, chosen on and reported. */
export const FER_SPLITS = ['Training', 'PublicTest', 'PrivateTest'] as const;
export type SplitName = (typeof FER_SPLITS)[number] | 'Test';

/** Where a figure comes from unless another split is named. */
const REPORTED: readonly SplitName[] = ['PrivateTest', 'Test'];

/** PrivateTest, or Test where there is no PrivateTest; undefined where neither has an image. */
export const reportedSplit = ({ splits }: LabelledImages): SplitName | undefined => REPORTED.find((name) => splits.get(name)?.length);

/** What is chosen on, and what the paper perturbs: PublicTest, or Test where there is no PublicTest. */
export const validationSplit = ({ splits }: LabelledImages): SplitName => (splits.has('PublicTest') ? 'PublicTest' : 'Test');

/** "Training, PublicTest", for errors. */
export const splitNames = ({ splits }: LabelledImages): string => [...splits.keys()].join(', ') || 'no rows';

/**
 * The rows of a split; `split` may be a name of the user's own.
 * @throws {FerError} ERR_FER_ARGUMENT where it is absent or empty.
 */
export function rowsOf(data: LabelledImages, split: string): Uint32Array {
  const rows = data.splits.get(split);
  return rows?.length ? rows : invalidArgument('split', splitNames(data), split);
}
