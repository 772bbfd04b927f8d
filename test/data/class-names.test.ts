/** Names of classes: which mean one, whose numbers they are, and a data set under other classes. */
import { describe, expect, it } from 'vitest';
import { renameClasses, underClasses } from '../../lib/data/class-map.js';
import { CLASS_ORDERS, classKey, classKeys, FER_CLASSES, inOrder } from '../../lib/data/class-names.js';
import type { LabelledImages } from '../../lib/data/data-set.js';

/** One image a class, in a split; its pixels are its row. */
function data(classes: string[], votes?: number[]): LabelledImages {
  return {
    name: 'test',
    source: 'memory',
    synthetic: false,
    classes,
    size: 1,
    images: Uint8Array.from(classes, (_, row) => row),
    labels: Uint8Array.from(classes, (_, row) => row),
    ...(votes ? { votes: Uint8Array.from(votes) } : {}),
    splits: new Map([['Test', Uint32Array.from(classes, (_, row) => row)]]),
    notes: [],
    badRows: [],
  };
}

describe('classKey', () => {
  it.each([
    ['angry', ['Anger', 'ANGRY', ' anger ', '0_angry', '01 - Anger']],
    ['disgust', ['Disgusted', 'disgust']],
    ['fear', ['Fearful', 'afraid', 'FEAR']],
    ['happy', ['Happiness', 'happy', '3-Happy', 'joy']],
    ['sad', ['sadness', 'Sad']],
    ['surprise', ['Surprised', 'surprise']],
    ['neutral', ['Neutrality', 'Neutral']],
    ['contempt', ['Contempt', 'contemptuous']],
  ])('%s is meant by %j', (key, names) => {
    expect(names.map(classKey)).toEqual(names.map(() => key));
  });

  it('leaves other names as they are, but for their case', () => {
    expect(['Calm', 'angry bird', 'constructor', '12', '1. FC Köln', 'an', 'con'].map(classKey)).toEqual(['calm', 'angry bird', 'constructor', '12', '1. fc köln', 'an', 'con']); // prettier-ignore
  });
});

describe('numbers', () => {
  const range = (first: number, last: number): string[] => Array.from({ length: last - first + 1 }, (_, i) => String(first + i));

  it.each([
    ['0 to 6', range(0, 6), 'fer2013', FER_CLASSES],
    ['1 to 7', range(1, 7), 'rafdb', ['surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral']],
    ['0 to 7', range(0, 7), 'affectnet', ['neutral', 'happy', 'sad', 'surprise', 'fear', 'disgust', 'angry', 'contempt']],
  ])('%s are taken as %s of %s, which is said', (_, names, whose, classes) => {
    const { keys, note } = classKeys(names);
    expect([...keys.values()]).toEqual(classes);
    expect(note).toContain(`taken as ${whose}'s: ${names[0]} ${classes[0]}, ${names[1]} ${classes[1]}`);
  });

  it('are as the user says', () => {
    for (const [whose, { first, classes }] of Object.entries(CLASS_ORDERS))
      expect([...classKeys(range(first, first + classes.length - 1), whose as 'ckplus').keys.values()]).toEqual(classes);
    expect(classKeys(['1', '5'], 'rafdb').keys).toEqual(new Map([['1', 'surprise'], ['5', 'sad']])); // prettier-ignore
  });

  it('that fit nobody are names', () => {
    for (const names of [range(0, 9), range(1, 5), ['0', 'happy']]) {
      const { keys, note } = classKeys(names);
      expect(keys.get(names[0])).toBe(names[0]);
      expect(note).toBeUndefined();
    }
  });

  it('order: expressions as FER2013 has them and contempt last, others by alphabet', () => {
    expect(inOrder(['contempt', 'sad', 'angry'])).toEqual(['angry', 'sad', 'contempt']);
    expect(inOrder(['sad', 'angry', 'calm'])).toEqual(['angry', 'calm', 'sad']);
  });
});

describe('underClasses', () => {
  it('finds each class under its other name, in any order', () => {
    const { data: under, overlap } = underClasses(data(['Sadness', 'anger', 'HAPPY']), ['angry', 'happy', 'sad']);
    expect(overlap).toEqual({ shared: ['angry', 'happy', 'sad'], onlyData: [], onlyNetwork: [] });
    expect([...under.labels]).toEqual([2, 0, 1]);
    expect(under.classes).toEqual(['angry', 'happy', 'sad']);
  });

  it('leaves images of classes that the network lacks in no split, and counts neither side wrong', () => {
    const { data: under, overlap } = underClasses(data(['anger', 'contempt', 'sadness']), ['angry', 'neutral', 'sad']);
    expect(overlap).toEqual({ shared: ['angry', 'sad'], onlyData: ['contempt'], onlyNetwork: ['neutral'] });
    expect([...under.splits.get('Test')!]).toEqual([0, 2]);
    expect([0, 2].map((row) => under.labels[row])).toEqual([0, 2]);
  });

  it('prefers the very name where a network has two words for one', () => {
    expect([...underClasses(data(['happiness', 'happy']), ['happy', 'happiness']).data.labels]).toEqual([1, 0]);
  });

  it('takes votes along', () => {
    const { data: under } = underClasses(data(['sad', 'contempt', 'angry'], [1, 2, 3, 0, 9, 0, 0, 1, 8]), ['angry', 'sad']);
    expect([...under.votes!]).toEqual([3, 1, 0, 0, 8, 0]);
  });
});

describe('renameClasses', () => {
  it('renames, puts together and leaves out', () => {
    const renamed = renameClasses(data(['smile', 'laugh', 'frown', 'wink']), { smile: 'happy', Laugh: 'happy', frown: 'sad', wink: null });
    expect(renamed.classes).toEqual(['happy', 'sad']);
    expect([...renamed.splits.get('Test')!].map((row) => renamed.labels[row])).toEqual([0, 0, 1]);
    expect(renamed.notes).toEqual(['classes left out as asked: wink (1 images)']);
  });

  it('refuses a name that is not there, with the nearest', () => {
    expect(() => renameClasses(data(['happy', 'sad']), { hapy: 'joy' })).toThrow(
      'expected classes of memory (happy, sad), got "hapy", for classes; did you mean "happy"?',
    );
  });

  it('refuses to leave fewer than two', () => {
    expect(() => renameClasses(data(['happy', 'sad']), { sad: null })).toThrow(
      'expected at least two classes, got 1 of happy, sad, for classes',
    );
  });
});
