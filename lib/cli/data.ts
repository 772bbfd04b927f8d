/** `fer-cudnn data`: what is in a data set, and a packed copy of it. */
import path from 'node:path';
import { Command } from 'commander';
import type { DataAudit } from '../data/audit.js';
import { FerError } from '../errors.js';
import { DATA_FORMS } from './data-forms.js';
import { addLoadFlags, loadOptions, usageError, wholeNumberOf, type DataFlags } from './options.js';
import { note, noteData, print } from './output.js';
import { table, thousands } from '../plain-text.js';

const INFO_EXAMPLES = `
${DATA_FORMS}

Examples:
  $ fer-cudnn data info fer2013.csv
  $ fer-cudnn data info fer2013.csv --json --no-chart
  $ fer-cudnn data info broken.csv --skip-bad-rows     list the malformed rows instead of stopping at the first

The audit compares images across splits: an image in both Training and PrivateTest makes a test figure too good. Near
duplicates differ by at most 3 of 64 bits of a difference hash and by less than 8 grey levels on average.`;

const PREPARE_EXAMPLES = `
${DATA_FORMS}

Examples:
  $ fer-cudnn data prepare fer2013.csv.gz     decode it once; "train" and "evaluate" then start at once

The packed copy lies in $FER_CACHE_DIR, or else in $XDG_CACHE_HOME/fer-cudnn or ~/.cache/fer-cudnn, and is made anew when
the file changes.`;

const COMPACT_EXAMPLES = `
${DATA_FORMS}

Examples:
  $ fer-cudnn data compact fer2013.csv.gz -o fer2013.fer     95 MB become 56, without loss; takes some minutes
  $ fer-cudnn data compact fer2013.csv.gz -o fer2013.fer --fast
  $ fer-cudnn train --data fer2013.fer                       every command reads it`;

interface InfoFlags extends DataFlags {
  size?: number;
  json?: boolean;
  chart: boolean;
  out: string;
}

export function dataCommand(): Command {
  const info = new Command('info')
    .summary('counts, statistics, duplicates, chart')
    .description('Counts images by split and class, audits them, and draws the class distribution.')
    .argument('[path]', 'data set [the synthetic faces]')
    .option('--size <pixels>', 'side that pictures of a folder are brought to [48]', wholeNumberOf('--size', 16, 512))
    .option('--json', 'JSON instead of tables')
    .option('--out <folder>', 'where class-distribution.svg and .png go', 'data-info')
    .option('--no-chart', 'draw nothing');
  const prepare = new Command('prepare')
    .summary('make the packed copy')
    .description('Reads and checks a data set and keeps a packed copy, so that later starts are instant.')
    .argument('<path>', 'data set')
    .option('--size <pixels>', 'side that pictures are brought to [48]', wholeNumberOf('--size', 16, 512));
  const compact = new Command('compact')
    .summary('write a small copy to carry elsewhere')
    .description('Writes a data set to one small file, without loss, for another machine.')
    .argument('<path>', 'data set')
    .requiredOption('-o, --out <file>', 'file to write, ending in .fer')
    .option('--size <pixels>', 'side that pictures are brought to [48]', wholeNumberOf('--size', 16, 512))
    .option('--fast', 'seconds instead of minutes, for a somewhat larger file');
  return new Command('data')
    .description('Looks at a data set, or packs it for quick starts.')
    .addCommand(addLoadFlags(info).addHelpText('after', INFO_EXAMPLES).action(dataInfo))
    .addCommand(prepare.addHelpText('after', PREPARE_EXAMPLES).action(dataPrepare))
    .addCommand(addLoadFlags(compact).addHelpText('after', COMPACT_EXAMPLES).action(dataCompact));
}

async function dataInfo(given: string | undefined, flags: InfoFlags): Promise<void> {
  const [{ loadDataSet }, { auditDataSet }] = await Promise.all([import('../data/registry.js'), import('../data/audit.js')]);
  const data = await loadDataSet(given, await loadOptions(flags, flags.size));
  noteData(data, given);
  const audit = await auditDataSet(data);
  print(
    flags.json
      ? JSON.stringify({ ...audit, splits: Object.keys(audit.counts), notes: data.notes, badRowList: data.badRows }, null, 2)
      : formatAudit(audit, data.classes),
  );
  if (!flags.chart) return;
  const [{ classDistributionChart }, { writeChart }] = await Promise.all([import('../charts/charts.js'), import('../charts/write.js')]);
  const files = await writeChart(classDistributionChart(new Map(Object.entries(audit.counts))), path.join(flags.out, 'class-distribution'));
  note(`wrote ${files.join(', ')}`);
}

function formatAudit(audit: DataAudit, classes: readonly string[]): string {
  const splits = Object.keys(audit.counts);
  const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const row = (name: string, counts: number[]): string[] => [name, ...[...counts, total(counts)].map(thousands)];
  const acrossSplits = (pairs: Record<string, number>): string => {
    const list = Object.entries(pairs).map(([splitPair, count]) => `${splitPair} ${thousands(count)}`);
    return list.length > 0 ? list.join(', ') : 'none';
  };
  const { exactDuplicates: exact, nearDuplicates: near } = audit;
  return [
    `${audit.name}, ${audit.source}: ${thousands(audit.n)} images of ${audit.size}x${audit.size}`,
    '',
    table([
      ['class', ...splits, 'total'],
      ...classes.map((name) =>
        row(
          name,
          splits.map((split) => audit.counts[split][name]),
        ),
      ),
      row(
        'total',
        splits.map((split) => total(Object.values(audit.counts[split]))),
      ),
    ]),
    '',
    `pixels                        mean ${audit.mean.toFixed(2)}, standard deviation ${audit.std.toFixed(2)} (0 to 255)`,
    `blank images                  ${thousands(audit.blank.length)}${audit.blank.length > 0 ? ` (rows ${list(audit.blank)})` : ''}`,
    `exact copies                  ${thousands(exact.images)} images in ${thousands(exact.groups)} groups, ${thousands(exact.conflictingLabels)} of them with different labels`,
    `  groups that join splits     ${acrossSplits(exact.acrossSplits)}`,
    `near copies that join splits  ${acrossSplits(near.acrossSplits)}`,
    ...(audit.badRows > 0 ? [`malformed rows left out       ${thousands(audit.badRows)}`] : []),
  ].join('\n');
}

const list = (rows: readonly number[]): string => `${rows.slice(0, 12).join(', ')}${rows.length > 12 ? ', …' : ''}`;

async function dataPrepare(given: string, flags: { size?: number } & DataFlags): Promise<void> {
  const [{ isPacked, loadDataSet }, { cachePath, readCache }] = await Promise.all([
    import('../data/registry.js'),
    import('../data/cache.js'),
  ]);
  const started = performance.now();
  const data = await loadDataSet(given, { size: flags.size });
  noteData(data, given);
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  const packed = await cachePath(given, { size: flags.size ?? 48 });
  if (packed === undefined)
    throw new FerError('ERR_FER_ARGUMENT', 'this user has no folder for packed data sets; name one in FER_CACHE_DIR');
  if (!(await isPacked(given)))
    throw new FerError('ERR_FER_ARGUMENT', `${given} is a folder, or one of several files; only single files are packed`, {
      details: { file: given },
    });
  if (!(await readCache(packed)))
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `${packed} cannot be written; name a folder that can in FER_CACHE_DIR`, {
      details: { file: packed },
    });
  print(`${packed}: ${thousands(data.labels.length)} images, ready in ${seconds} s`);
}

async function dataCompact(given: string, flags: { out: string; size?: number; fast?: boolean } & DataFlags): Promise<void> {
  if (flags.votes === 'soft') throw usageError('--votes', 'majority: a .fer file has one label an image', flags.votes);
  if (!flags.out.endsWith('.fer')) throw usageError('--out', 'a file name ending in .fer', flags.out);
  const [{ loadDataSet }, { writeCompact }] = await Promise.all([import('../data/registry.js'), import('../data/compact.js')]);
  const data = await loadDataSet(given, await loadOptions(flags, flags.size));
  noteData(data, given);
  const bytes = await writeCompact(flags.out, data, flags.fast ? 'fast' : 'small');
  print(`${flags.out}: ${thousands(data.labels.length)} images in ${(bytes / 1e6).toFixed(1)} MB`);
}
