/** When two folders mean one class: whatever their case, and for FER2013's seven under the names that other data sets give them. */
import { FER_CLASSES } from './data-set.js';

const ALIASES: Readonly<Record<string, string>> = {
  anger: 'angry',
  disgusted: 'disgust',
  fearful: 'fear',
  happiness: 'happy',
  sadness: 'sad',
  surprised: 'surprise',
};

/** The same for two names of one class. */
export function classKey(name: string): string {
  const plain = name.normalize('NFC').trim().toLowerCase();
  return Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : plain;
}

/** Classes by their keys: FER2013's in FER2013's order when all are its own, otherwise by alphabet. */
export function inOrder(keys: Iterable<string>): string[] {
  const sorted = [...keys].sort();
  return sorted.every((key) => FER_CLASSES.includes(key)) ? FER_CLASSES.filter((name) => sorted.includes(name)) : sorted;
}
