/** The kinds of options there are: how a value is written on a command line, and what it must be. */
import { invalidArgument } from '../errors.js';
import { isObject } from '../json.js';

/** What values an option takes, and how they are written on a command line. */
export interface Kind<T> {
  /** After the flag in help: "<n>"; with "..." in it several words are taken. */
  takes: string;
  /** The only words there are. */
  choices?: readonly string[];
  /** The value that words stand for, unchecked. */
  read(words: readonly string[]): T | Promise<T>;
  /**
   * The value in its final form.
   * @throws {FerError} ERR_FER_ARGUMENT
   */
  check(value: T, name: string): T;
}

export interface OptionSpec<T> extends Kind<T> {
  default: T;
  /** The default in help, where the value itself would not say it. */
  shown?: string;
  /** One line. */
  help: string;
}

/** What is no number stays a word, so that the check can name it. */
const numberOf = (word: string): number => (word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : (word as never));

export const whole = (min: number, max: number): Kind<number> => ({
  takes: '<n>',
  read: ([word]) => numberOf(word),
  check: (value, name) =>
    Number.isInteger(value) && value >= min && value <= max ? value : invalidArgument(name, `a whole number from ${min} to ${max}`, value),
});

export const share: Kind<number> = {
  takes: '<x>',
  read: ([word]) => numberOf(word),
  check: (value, name) => (value > 0 && value <= 1 ? value : invalidArgument(name, 'a number above 0, at most 1', value)),
};

/** A word; `check` gives its final form. */
export const word = <T extends string>(takes: string, check = (value: T, _name: string): T => value): Kind<T> => ({
  takes,
  read: ([given]) => given as T,
  check: (value, name) => (typeof value === 'string' ? check(value, name) : invalidArgument(name, 'a word', value)),
});

/** At least one value, none twice. */
export const list = <T>({ takes, read, check }: Kind<T>): Kind<T[]> => ({
  takes: takes.replace('>', '...>'),
  read: (words) => Promise.all(words.map((each) => read([each]))),
  check: (values, name) => {
    if (!Array.isArray(values) || values.length === 0) invalidArgument(name, 'at least one value', values);
    // In their final form: "narrow" may have been written out.
    const final = values.map((value) => check(value, name));
    const twice = final.findIndex((value, i) => final.indexOf(value) !== i);
    if (twice >= 0) invalidArgument(name, 'values that differ', `${String(final[twice])} twice`);
    return final;
  },
});

export const oneOf = <T extends string>(takes: string, choices: readonly T[]): Kind<T> => {
  const expected = choices.join(', ').replace(/, ([^,]*)$/, ' or $1');
  return { ...word<T>(takes, (value, name) => (choices.includes(value) ? value : invalidArgument(name, expected, value))), choices };
};

/** Epochs by name; a number without a name is for all. */
export const epochs: Kind<Record<string, number>> = {
  takes: '<n|name=n,...>',
  read([text]) {
    // eslint-disable-next-line security/detect-unsafe-regex -- anchored, and one optional group: linear, as no-super-linear-backtracking agrees
    const parts = text.split(',').map((part) => /^(?:([\w.-]+)=)?(\d+)$/.exec(part.trim()));
    if (parts.some((part) => !part) || (parts.length > 1 && parts.some((part) => !part![1])))
      invalidArgument('epochs', 'a whole number, or names with numbers such as narrow=100,wide=2', text);
    return Object.fromEntries(parts.map((part) => [part![1] ?? 'all', Number(part![2])]));
  },
  check(value, name) {
    if (!isObject(value)) invalidArgument(name, 'epochs by name', value);
    for (const [name, each] of Object.entries(value)) whole(1, 100_000).check(each, `epochs of ${name}`);
    return value;
  },
};
