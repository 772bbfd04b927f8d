/** What the experiments' tests share: a data set and networks that train in well under a second. */
import { syntheticFaces } from '../../lib/data/synthetic.js';
import type { LabelledImages } from '../../lib/data/data-set.js';
import type { RunOptions } from '../../lib/experiments/run/run.js';
import type { ExperimentResult } from '../../lib/report/result.js';

export const SIZE = 24;
export const SMALL = '4,4:8,8';
export const LARGER = '4,8:8,16';

export function tinyData(): LabelledImages {
  const all = syntheticFaces({ size: SIZE });
  return { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, name === 'Training' ? 420 : 140)])) };
}

export const TINY: Partial<RunOptions> = { widths: [SMALL, LARGER], inputSize: SIZE, epochs: { all: 3 }, threads: 1 };

/** A result without what no two runs share: how long things took. */
export function timeless(results: readonly ExperimentResult[]): unknown {
  return JSON.parse(
    JSON.stringify(results, (key, value: unknown) => {
      if (key === 'secondsAnEpoch') return undefined;
      if (key === 'statements') return (value as string[]).filter((statement) => !/ in [\d.]+ s\.$/.test(statement));
      if (key === 'comparisons') return (value as { format: string }[]).filter(({ format }) => format !== 'seconds');
      return value;
    }),
  );
}
