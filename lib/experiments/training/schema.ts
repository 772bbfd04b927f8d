/** What a training leaves, as a cell's file and a run folder hold it. */
import { classificationMetrics, epochRow, METRICS } from '../../metrics/schema.js';
import type { ClassificationMetrics } from '../../metrics/index.js';
import { list, maybe, number, object, text, whole, type Rule } from '../../schema.js';
import { trainingConfig } from '../../training/checkpoint.js';
import type { Trained } from './found.js';

const chosen = object<Trained['chosen']>({ epoch: whole(), accuracy: number(0, 1) });

const sequence: Rule<Trained> = function* (trained) {
  if (trained.rows.some(({ epoch }, i) => epoch !== i + 1)) yield { at: ['rows'], expected: 'epochs from 1 on' };
};

export const trained = object<Trained>(
  {
    config: trainingConfig,
    rows: list(epochRow),
    chosen,
    evaluation: maybe(classificationMetrics),
    evaluatedSplit: maybe(text()),
    diverged: maybe(text()),
    parameters: whole(),
    multiplyAdds: whole(),
    memoryBytes: whole(),
  },
  sequence,
);

export interface Evaluation extends ClassificationMetrics {
  split: string;
  chosen: Trained['chosen'];
}

/** evaluation.json of a run folder. */
export const evaluation = object<Evaluation>({ ...METRICS, split: text(), chosen });
