/** What a report says of the data behind a cell. */
import type { LabelledImages } from '../data/data-set.js';
import { thousands } from '../plain-text.js';

/** Kept with every cell; a folder takes cells on one data set alone. */
export interface DataFacts {
  name: string;
  /** File name without its folder. */
  source: string;
  synthetic: boolean;
  /** Images by split. */
  splits: Record<string, number>;
  size: number;
}

export function dataFacts(data: LabelledImages): DataFacts {
  return {
    name: data.name,
    source: data.source.split('/').pop() ?? data.source,
    synthetic: data.synthetic,
    splits: Object.fromEntries([...data.splits].map(([name, rows]) => [name, rows.length])),
    size: data.size,
  };
}

export function dataStatement(data: DataFacts): string {
  const splits = Object.entries(data.splits).map(([name, n]) => `${name} ${thousands(n)}`);
  const what = data.synthetic
    ? 'Synthetic faces: figures from them say nothing about photographs, and are not to be compared with the paper'
    : `${data.name}, ${data.source}`;
  return `Data: ${what} (${splits.join(', ')} images of ${data.size}x${data.size}).`;
}
