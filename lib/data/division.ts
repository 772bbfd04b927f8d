/** A division of a data set that has none: Training, PublicTest and PrivateTest, 8:1:1. */
import { FerError } from '../errors.js';
import { generator } from '../random.js';
import type { LabelledImages, Reading } from './data-set.js';
import { FER_SPLITS, splitNames } from './splits.js';

/** The shares of PublicTest and PrivateTest; the rest is Training. */
const SHARE = 0.1;

/**
 * `data` divided by image, class by class, or by subject, whose images stay together. The same seed and data give the same division.
 * @throws {FerError} ERR_FER_ARGUMENT for a data set that has splits of its own, too few images, or no subjects.
 */
export function divided(
  data: LabelledImages,
  by: NonNullable<Reading['splitBy']>,
  seed: number,
  subjects: readonly string[] | undefined,
): LabelledImages {
  const fail = (reason: string): never => {
    throw new FerError('ERR_FER_ARGUMENT', `${data.source} cannot be divided by ${by === 'random' ? 'image' : 'subject'}: ${reason}`, {
      details: { file: data.source, reason },
    });
  };
  if ([...data.splits.keys()].join() !== FER_SPLITS[0]) fail(`it has splits of its own, ${splitNames(data)}; leave out --split-by`);
  const rows = [...data.splits.get(FER_SPLITS[0])!];
  if (by === 'subject' && !subjects) fail("its files do not say who is on them; expected names such as CK+'s S010_004_00000017.png");
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    // By image: what is dealt out evenly are the classes.
    const group = by === 'subject' ? subjects![row] : String(data.labels[row]);
    const members = groups.get(group);
    if (members) members.push(row);
    else groups.set(group, [row]);
  }
  const splits = by === 'subject' ? bySubject([...groups.values()], seed) : byClass([...groups.values()], seed);
  if (splits.some((list) => list.length === 0))
    fail(`${by === 'subject' ? `${groups.size} subjects` : `${rows.length} images`} are too few for three splits`);
  const counts = by === 'subject' ? `${groups.size} subjects, each in one split` : 'each class alike';
  return {
    ...data,
    splits: new Map(FER_SPLITS.map((name, i) => [name, Uint32Array.from(splits[i].sort((a, b) => a - b))])),
    notes: [...data.notes, `divided by ${by === 'random' ? 'image' : by} (seed ${seed}): ${counts}`],
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

function byClass(groups: readonly number[][], seed: number): number[][] {
  const random = generator(seed);
  const splits: number[][] = [[], [], []];
  for (const rows of groups) {
    const share = Math.round(rows.length * SHARE);
    for (const [i, row] of shuffled(rows, random).entries()) splits[i < share ? 1 : i < 2 * share ? 2 : 0].push(row);
  }
  return splits;
}

/** Subjects are dealt out until a split has its share of the images. */
function bySubject(groups: readonly number[][], seed: number): number[][] {
  const share = groups.reduce((sum, rows) => sum + rows.length, 0) * SHARE;
  const splits: number[][] = [[], [], []];
  for (const rows of shuffled(groups, generator(seed))) {
    const to = [1, 2].find((split) => splits[split].length === 0 || splits[split].length < share - rows.length / 2) ?? 0;
    splits[to].push(...rows);
  }
  return splits;
}
