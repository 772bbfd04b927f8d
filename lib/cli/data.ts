/** fer-cudnn data */
import path from 'node:path';
import { Command } from 'commander';
import { classDistributionChart } from '../charts/charts.js';
import { writeChart } from '../charts/write.js';
import { auditDataSet, type DataAudit } from '../data/audit.js';
import { loadDataSet } from '../data/registry.js';

interface Flags {
  size: string;
  skipBadRows: boolean;
  json: boolean;
  out: string;
}

export function dataCommand(): Command {
  const data = new Command('data').description('Look at a data set before training on it.');
  data
    .command('info')
    .description('Counts of each split and class, brightness, blank images, copies across splits, and a chart (the paper\'s Figure 5).')
    .argument('[path]', 'FER2013 (.csv, .csv.gz), an image folder or .parquet (default: procedural faces)')
    .option('--skip-bad-rows', 'count and list malformed rows instead of stopping at the first', false)
    .option('--json', 'print everything as JSON', false)
    .option('-o, --out <folder>', 'where class-distribution.svg and .png go', '.')
    .addHelpText(
      'after',
      `
Examples:
  $ fer-cudnn data info fer2013.csv.gz
  $ fer-cudnn data info fer2013-folders/ --json --out figures`,
    )
    .action(run);
  return data;
}

async function run(source: string | undefined, flags: Flags): Promise<void> {
  const data = await loadDataSet(source, { skipBadRows: flags.skipBadRows });
  const audit = auditDataSet(data);
  if (flags.json) console.log(JSON.stringify({ ...audit, notes: data.notes, malformedRows: data.badRows }, null, 2));
  else print(audit, data.notes, data.badRows);
  const files = await writeChart(classDistributionChart(new Map(Object.entries(audit.counts))), path.join(flags.out, 'class-distribution'));
  console.error(`written: ${files.join(', ')}`);
}

function print(audit: DataAudit, notes: string[], badRows: { line: number; reason: string }[]): void {
  const splits = Object.entries(audit.counts);
  const classes = Object.keys(splits[0]?.[1] ?? {});
  const total = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  const rows = [
    ['', ...classes, 'all'],
    ...splits.map(([name, counts]) => [name, ...classes.map((c) => counts[c].toLocaleString('en')), total(counts).toLocaleString('en')]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  console.log(`${audit.name}: ${audit.source}`);
  console.log(`${audit.n.toLocaleString('en')} images of ${audit.size}x${audit.size}; pixels: mean ${audit.mean.toFixed(1)}, standard deviation ${audit.std.toFixed(1)}\n`);
  for (const row of rows) console.log(row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[0]))).join('  '));
  const { exactDuplicates: exact, nearDuplicates: near } = audit;
  const across = (counts: Record<string, number>): string =>
    Object.entries(counts).map(([splits, count]) => `${splits} ${count}`).join(', ') || 'none';
  console.log(`\nblank images: ${audit.blank.length}`);
  console.log(`exact copies: ${exact.images} images in ${exact.groups} groups, ${exact.conflictingLabels} groups with conflicting labels`);
  console.log(`  groups across splits: ${across(exact.acrossSplits)}`);
  console.log(`near copies across splits (pairs, exact ones left out): ${across(near.acrossSplits)}`);
  for (const note of notes) console.log(`note: ${note}`);
  for (const { line, reason } of badRows) console.log(`skipped line ${line}: ${reason}`);
}
