/** The progress that a checkpoint holds, every part of it checked, and the parts against one another. */
import { isClassOrder, type ClassMap } from '../data/class-names.js';
import type { Reading } from '../data/data-set.js';
import { isObject } from '../json.js';
import { epochRow } from '../metrics/schema.js';
import type { NativeEpochTotals } from '../native.js';
import { by, list, maybe, number, object, oneOf, read, text, whole, type Rule, type Schema } from '../schema.js';
import { resolveConfig } from './config.js';
import type { TrainingConfig } from './options.js';
import type { Progress } from './progress.js';

/** Options that the version which began the run did not have yet are at their defaults. */
export const trainingConfig: Schema<TrainingConfig> = by((value) => {
  if (!isObject(value)) throw new Error('expected the options of a training');
  return resolveConfig(value);
});

const totals = object<NativeEpochTotals>({ lossSum: number(0), correct: whole(), seen: whole(), step: whole() }, function* (epoch) {
  if (epoch.correct > epoch.seen) yield { at: ['correct'], expected: `at most the ${epoch.seen} images seen` };
});

/** The plateau's: all of it or, before the first epoch has ended, perhaps nothing. */
const schedule = object<{ learningRate?: number; bad?: number; waiting?: number; best?: number }>(
  { learningRate: maybe(number(0)), bad: maybe(whole()), waiting: maybe(whole()), best: maybe(number()) },
  function* (state) {
    for (const key of ['learningRate', 'bad', 'waiting'] as const)
      if (state[key] === undefined && Object.values(state).some((value) => value !== undefined))
        yield { at: [key], expected: 'a number beside the others' };
  },
) as Schema<Record<string, number>>;

const consistent: Rule<Progress> = function* ({ config: { epochs, batchSize, teacher }, epoch, totals, steps, rows, best, teachers = [] }) {
  if (epoch > epochs) yield { at: ['epoch'], expected: `at most the ${epochs} epochs of its configuration` };
  if (rows.length !== epoch) yield { at: ['rows'], expected: `${epoch} rows, one a finished epoch` };
  for (const [i, row] of rows.entries()) if (row.epoch !== i + 1) yield { at: ['rows', i, 'epoch'], expected: String(i + 1) };
  const { step, seen } = totals;
  if (seen > step * batchSize || (seen === 0) !== (step === 0))
    yield { at: ['totals', 'seen'], expected: `the images of ${step} steps of ${batchSize}` };
  if (teachers.length !== teacher.length) yield { at: ['teachers'], expected: `${teacher.length} digests, one a teacher` };
  if (steps < epoch + step) yield { at: ['steps'], expected: `at least ${epoch + step}, which ${epoch} epochs and ${step} steps have` };
  if (best.epoch > epoch || (best.epoch === 0) !== (epoch === 0))
    yield { at: ['best', 'epoch'], expected: epoch === 0 ? '0, as no epoch has ended' : `an epoch from 1 to ${epoch}` };
  else if (best.accuracy !== (rows[best.epoch - 1]?.validationAccuracy ?? -1))
    yield { at: ['best', 'accuracy'], expected: best.epoch === 0 ? '-1, as no epoch has ended' : `that of row ${best.epoch}` };
};

const reading = object<Reading>({
  classes: maybe(by(classesOf)),
  splitBy: maybe(oneOf(['random', 'subject'])),
  splitSeed: maybe(whole()),
  votes: maybe(oneOf(['majority', 'soft'])),
});

/** An order's name, or names by names. */
function classesOf(value: unknown): NonNullable<Reading['classes']> {
  if (isClassOrder(value)) return value;
  if (isObject(value) && Object.values(value).every((name) => name === null || typeof name === 'string')) return value as ClassMap;
  throw new Error('expected whose numbers classes are, or names by names');
}

const progress = object<Progress>(
  {
    config: trainingConfig,
    epoch: whole(),
    totals,
    steps: whole(),
    schedule,
    rows: list(epochRow),
    best: object({ epoch: whole(), accuracy: number(-1, 1) }),
    dataSource: text(),
    teachers: maybe(list(text())),
    reading: maybe(reading),
    devices: maybe(list(text())),
    threads: maybe(whole(1, 1024)),
  },
  consistent,
);

/** `fail` is told what is wrong, and throws. */
export const readProgress = (value: unknown, fail: (reason: string) => never): Progress => read(progress, value, 'training', fail);
