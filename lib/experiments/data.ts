/** Experiment 4: what the data set holds (the paper's Figure 5), and which images occur in more than one split. */
import { classDistributionChart } from '../charts/charts.js';
import { auditDataSet, type DataAudit } from '../data/audit.js';
import { thousands } from '../plain-text.js';
import type { Table } from '../report/result.js';
import { list, number, object, pair, record, text, whole } from '../schema.js';
import { dataStatement } from './data-facts.js';
import type { Experiment } from './experiment.js';

/** The audit compares pairs within hash buckets; measured on FER2013. */
const SECONDS_AN_IMAGE = 3 / 35_887;

const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

const pairs = record(whole());

const audit = object<DataAudit>({
  name: text(),
  source: text(),
  n: whole(),
  size: whole(1),
  counts: record(record(whole())),
  mean: number(0, 255),
  std: number(0),
  blank: list(whole()),
  exactDuplicates: object<DataAudit['exactDuplicates']>({
    images: whole(),
    groups: whole(),
    acrossSplits: pairs,
    conflictingLabels: whole(),
  }),
  nearDuplicates: object<DataAudit['nearDuplicates']>({ acrossSplits: pairs, examples: list(pair(whole())) }),
  badRows: whole(),
});

export const data: Experiment<DataAudit> = {
  found: audit,
  cells: () => [{ id: 'audit', title: 'class distribution and leak audit' }],
  runCell: (_cell, context) => Promise.resolve(auditDataSet(context.data)),
  estimate: (_cell, context) => Promise.resolve(context.data.labels.length * SECONDS_AN_IMAGE),

  collect([{ found, data: facts }]) {
    const counts = new Map(Object.entries(found.counts));
    const leaks = leakTable(found);
    const joined = leaks.rows.reduce((sum, row) => sum + (row.groups as number) + (row.pairs as number), 0);
    return {
      title: 'Data',
      summary:
        'How many images of each expression the splits hold, and whether the same face stands in two of them: ' +
        'an image that is learnt from and tested on makes a test figure too good.',
      statements: [
        dataStatement(facts),
        `${thousands(found.exactDuplicates.images)} images are byte-identical copies of another, in ${thousands(found.exactDuplicates.groups)} groups; ` +
          `${thousands(found.exactDuplicates.conflictingLabels)} of these groups carry more than one label.`,
        joined > 0
          ? 'Nothing is removed for the other experiments, because the published figures are on the whole splits; the copies are counted here instead.'
          : 'No image stands in two splits.',
        `${found.blank.length} images are blank (all pixels equal).`,
        'This is Figure 5 drawn anew from the counts; our knowledge of the paper has no counts to set beside them.',
      ],
      comparisons: [],
      tables: [countTable(found), leaks],
      charts: [
        {
          id: 'class-distribution',
          caption: "Images of each class in each split (the paper's Figure 5).",
          alt: `Bar chart of images by class and split. ${[...counts]
            .map(
              ([split, classes]) =>
                `${split}: ${Object.entries(classes)
                  .map(([name, n]) => `${name} ${n}`)
                  .join(', ')}`,
            )
            .join('. ')}.`,
          spec: classDistributionChart(counts),
        },
      ],
      pictures: [],
      seeds: [],
      openPoints: [],
    };
  },
};

function countTable({ counts }: DataAudit): Table {
  const splits = Object.keys(counts);
  const classes = Object.keys(counts[splits[0]]);
  const row = (name: string, of: (split: string) => number): Table['rows'][number] => {
    const bySplit = Object.fromEntries(splits.map((split) => [split, of(split)]));
    return { class: name, ...bySplit, total: total(bySplit), share: null };
  };
  const all = row('all', (split) => total(counts[split]));
  const rows = [...classes.map((name) => row(name, (split) => counts[split][name])), all];
  for (const each of rows) each.share = (each.total as number) / (all.total as number);
  return {
    id: 'class-distribution',
    caption: "Images by class and split (the paper's Figure 5).",
    columns: [
      { key: 'class', title: 'class', format: 'text' },
      ...splits.map((split) => ({ key: split, title: split, format: 'count' as const })),
      { key: 'total', title: 'total', format: 'count' },
      { key: 'share', title: 'share', format: 'percent' },
    ],
    rows,
  };
}

function leakTable({ exactDuplicates, nearDuplicates, counts }: DataAudit): Table {
  const splits = Object.keys(counts);
  const pairs = splits.flatMap((a, i) => splits.slice(i + 1).map((b) => [a, b].sort().join(' / ')));
  return {
    id: 'leaks',
    caption:
      'Images that stand in two splits. Near copies: difference hashes at most 3 of 64 bits apart and less than 8 of 255 grey levels on average; exact copies left out.',
    columns: [
      { key: 'splits', title: 'splits', format: 'text' },
      { key: 'groups', title: 'groups of exact copies', format: 'count' },
      { key: 'pairs', title: 'pairs of near copies', format: 'count' },
    ],
    rows: pairs.map((pair) => ({
      splits: pair,
      groups: exactDuplicates.acrossSplits[pair] ?? 0,
      pairs: nearDuplicates.acrossSplits[pair] ?? 0,
    })),
  };
}
