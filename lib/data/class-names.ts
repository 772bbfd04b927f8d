/**
 * Which names of classes mean the same, and which class a number stands for in each data set. Every reader asks here, and whoever
 * holds a data set against a network.
 */
/** FER2013's classes in the order of its labels 0 to 6. */
export const FER_CLASSES = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];

/** FER2013's seven and the eighth that other data sets have, in the order in which classes are listed. */
const EXPRESSIONS = [...FER_CLASSES, 'contempt'];

/** Other words for them, in lower case. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  angry: ['anger'],
  disgust: ['disgusted'],
  fear: ['fearful', 'afraid', 'scared'],
  happy: ['happiness', 'joy', 'joyful'],
  sad: ['sadness'],
  surprise: ['surprised'],
  neutral: ['neutrality'],
  contempt: ['contemptuous'],
};

const KEYS = new Map(Object.entries(SYNONYMS).flatMap(([key, words]) => words.map((word) => [word, key])));

/** Whose numbers: the first number, and the classes from it on. */
export const CLASS_ORDERS = {
  fer2013: { first: 0, classes: FER_CLASSES },
  rafdb: { first: 1, classes: ['surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral'] },
  affectnet: { first: 0, classes: ['neutral', 'happy', 'sad', 'surprise', 'fear', 'disgust', 'angry', 'contempt'] },
  ckplus: { first: 0, classes: ['neutral', 'angry', 'contempt', 'disgust', 'fear', 'happy', 'sad', 'surprise'] },
  ferplus: { first: 0, classes: ['neutral', 'happy', 'surprise', 'sad', 'angry', 'disgust', 'fear', 'contempt'] },
} as const satisfies Record<string, { first: number; classes: readonly string[] }>;

/** Whose order of classes numbers are in. */
export type ClassOrder = keyof typeof CLASS_ORDERS;

/** By a class's name in the data: the name that it is to have, or null where its images are to be left out. */
export type ClassMap = Readonly<Record<string, string | null>>;

export const isClassOrder = (name: unknown): name is ClassOrder => typeof name === 'string' && Object.hasOwn(CLASS_ORDERS, name);

/** The same for two names of one class, whatever their case, a number before them, and which word of a kind they are. */
export function classKey(name: string): string {
  const plain = name.normalize('NFC').trim().toLowerCase();
  const word = plain.replace(/^\d+[\s._-]+(?=\p{L})/u, '');
  return KEYS.get(word) ?? (EXPRESSIONS.includes(word) ? word : plain);
}

export interface ClassKeys {
  /** By name. */
  keys: Map<string, string>;
  /** Where numbers were taken for classes: whose, and what they are. */
  note?: string;
}

/**
 * What the names of one data set mean. Numbers are classes in the `order` given; without one, 0 to 6 are FER2013's, 1 to 7 RAF-DB's and
 * 0 to 7 AffectNet's, when all are there. Other numbers are names as any.
 */
export function classKeys(names: Iterable<string>, order?: ClassOrder): ClassKeys {
  const all = [...names];
  const whose = all.every((name) => /^\d{1,2}$/.test(name)) ? (order ?? orderOf(all.map(Number))) : undefined;
  if (!whose) return { keys: new Map(all.map((name) => [name, classKey(name)])) };
  const { first, classes } = CLASS_ORDERS[whose];
  const keys = new Map(all.map((name) => [name, classes[Number(name) - first] ?? classKey(name)]));
  const others = Object.keys(CLASS_ORDERS).filter((name) => name !== whose);
  return {
    keys,
    note: `the classes' numbers are taken as ${whose}'s: ${classes.map((name, i) => `${first + i} ${name}`).join(', ')}; if they are not, --classes takes another's: ${others.join(', ')}`,
  };
}

function orderOf(numbers: readonly number[]): ClassOrder | undefined {
  const are = (first: number, last: number): boolean =>
    new Set(numbers).size === last - first + 1 && numbers.every((number) => number >= first && number <= last);
  if (are(0, 6)) return 'fer2013';
  if (are(1, 7)) return 'rafdb';
  return are(0, 7) ? 'affectnet' : undefined;
}

/** Classes by their keys: expressions in FER2013's order, contempt last, when all are such; otherwise by alphabet. */
export function inOrder(keys: Iterable<string>): string[] {
  const sorted = [...keys].sort();
  return sorted.every((key) => EXPRESSIONS.includes(key)) ? EXPRESSIONS.filter((name) => sorted.includes(name)) : sorted;
}

/** Classes of a data set: the key of each name, and by key, in their order, how a class is spelt. */
export interface NamedClasses {
  keys: Map<string, string>;
  classes: Map<string, string>;
  /** About numbers that were taken for classes. */
  notes: string[];
}

/** Classes in their order, each in the spelling that comes first; `whose` may say whose numbers they are. */
export function namedClasses(names: readonly string[], whose?: ClassOrder | ClassMap): NamedClasses {
  const { keys, note } = classKeys(names, isClassOrder(whose) ? whose : undefined);
  const spelling = new Map<string, string>();
  for (const [name, key] of keys) if (!spelling.has(key)) spelling.set(key, note ? key : name);
  return { keys, classes: new Map(inOrder(spelling.keys()).map((key) => [key, spelling.get(key)!])), notes: note ? [note] : [] };
}
