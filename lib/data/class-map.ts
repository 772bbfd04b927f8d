/** A data set under other classes: those of a network, or as a user's map says. Images stay as they are; labels and splits are new. */
import { FerError } from '../errors.js';
import { suggestion } from '../suggestion.js';
import { classKey, classKeys, inOrder, type ClassMap } from './class-names.js';
import type { LabelledImages } from './data-set.js';

/** Which classes two sides have in common. */
export interface ClassOverlap {
  /** Classes that both have, under the network's names. */
  shared: string[];
  /** Classes that only the data have. */
  onlyData: string[];
  /** Classes that only the network has. */
  onlyNetwork: string[];
}

/** Labels and splits by where each class goes; a class that goes nowhere is in no split any more. */
function relabelled(data: LabelledImages, classes: string[], placeOf: readonly number[]): LabelledImages {
  const kept = (row: number): boolean => placeOf[data.labels[row]] >= 0;
  const splits = [...data.splits].map(([name, rows]): [string, Uint32Array] => [name, rows.filter(kept)]);
  return {
    ...data,
    classes,
    labels: data.labels.map((label) => Math.max(placeOf[label], 0)),
    splits: new Map(splits.filter(([, rows]) => rows.length > 0)),
    votes: data.votes && votesUnder(data, data.votes, classes.length, placeOf),
  };
}

/** Votes of classes that go nowhere are left out. */
function votesUnder({ classes, labels }: LabelledImages, votes: Uint8Array, count: number, placeOf: readonly number[]): Uint8Array {
  const out = new Uint8Array(labels.length * count);
  for (let row = 0; row < labels.length; row++)
    for (const [from, to] of placeOf.entries()) if (to >= 0) out[row * count + to] += votes[row * classes.length + from];
  return out;
}

/**
 * The data set with its classes renamed, put together where two get one name, and left out where the map says null. Classes that the map
 * does not name keep theirs.
 * @throws {FerError} ERR_FER_ARGUMENT for a name that is no class of the data set, or when fewer than two classes are left.
 */
export function renameClasses(data: LabelledImages, map: ClassMap): LabelledImages {
  const names = new Map<string, string | null>();
  for (const [name, to] of Object.entries(map)) {
    const found = data.classes.find((one) => one === name) ?? data.classes.find((one) => classKey(one) === classKey(name));
    if (found === undefined)
      throw new FerError(
        'ERR_FER_ARGUMENT',
        `expected classes of ${data.source} (${data.classes.join(', ')}), got ${JSON.stringify(name)}, for classes; did you mean ${JSON.stringify(suggestion(name, data.classes))}?`,
      );
    names.set(found, to);
  }
  const renamed = data.classes.map((name) => (names.has(name) ? names.get(name)! : name));
  const byKey = new Map<string, string>();
  for (const name of renamed) if (name !== null && !byKey.has(classKey(name))) byKey.set(classKey(name), name);
  const keys = inOrder(byKey.keys());
  if (keys.length < 2)
    throw new FerError('ERR_FER_ARGUMENT', `expected at least two classes, got ${keys.length} of ${data.classes.join(', ')}, for classes`);
  const placeOf = renamed.map((name) => (name === null ? -1 : keys.indexOf(classKey(name))));
  const out = relabelled(data, keys.map((key) => byKey.get(key)!), placeOf); // prettier-ignore
  const left = data.classes.filter((_, i) => placeOf[i] < 0);
  const images = data.labels.reduce((sum, label) => sum + Number(placeOf[label] < 0), 0);
  const note = `classes left out as asked: ${left.join(', ')} (${images} images)`;
  return left.length === 0 ? out : { ...out, notes: [...data.notes, note] };
}

/**
 * The data set under a network's classes, by name and whatever their order; images of classes that the network lacks are in no
 * split any more.
 */
export function underClasses(data: LabelledImages, classes: readonly string[]): { data: LabelledImages; overlap: ClassOverlap } {
  const ours = classKeys(classes).keys;
  const theirs = classKeys(data.classes).keys;
  const placeOf = data.classes.map((name) =>
    classes.includes(name) ? classes.indexOf(name) : classes.findIndex((one) => ours.get(one) === theirs.get(name)),
  );
  const overlap = {
    shared: classes.filter((_, place) => placeOf.includes(place)),
    onlyData: data.classes.filter((_, i) => placeOf[i] < 0),
    onlyNetwork: classes.filter((_, place) => !placeOf.includes(place)),
  };
  const same = data.classes.length === classes.length && placeOf.every((place, i) => place === i);
  return { data: same ? { ...data, classes: [...classes] } : relabelled(data, [...classes], placeOf), overlap };
}
