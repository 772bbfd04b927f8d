#!/usr/bin/env node
// Prints a result of bench/run.mjs as Markdown, a row a piece of work, losses beside wins:
//   node bench/table.mjs bench/results/<name>.json [--write]   (--write: into bench/README.md, between its marks, too)
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { readFlags } from '../scripts/flags.mjs';

const { values, positionals } = readFlags({ allowPositionals: true, options: { write: { type: 'boolean' } } });
if (positionals.length !== 1) throw new Error('expected one result of bench/run.mjs');
const page = fileURLToPath(new URL('README.md', import.meta.url));
const result = JSON.parse(readFileSync(positionals[0], 'utf8'));

const digits = (n) => (n >= 100 ? n.toFixed(0) : n.toPrecision(3));
const both = (median, fastest, say) => `${say(median)} (${say(fastest)})`;
const percent = (n) => `${(100 * n).toFixed(0)} %`;
const times = (n) => (n >= 10 ? n.toFixed(0) : n.toFixed(2));

function ours(one) {
  if (one === undefined) return '–';
  if (one.milliseconds === undefined) return `failed: ${one.failed}`;
  const share = one.shareOfPeak ? `, ${percent(one.shareOfPeak.fastest)}` : '';
  return `${both(one.milliseconds, one.fastest, digits)} ms${share}`;
}
const ratio = (found) => (found ? both(found.median, found.fastest, times) : '–');
function best({ median, fastest }) {
  if (!median) return '–';
  const other = fastest.name === median.name ? '' : `${fastest.name}: `;
  return `${median.name}: ${digits(median.milliseconds)} (${other}${digits(fastest.milliseconds)}) ms`;
}

const HEAD = [
  'work',
  'fp32, share of peak',
  'bf16, share of peak',
  'the fastest mode of any peer',
  'ratio, fp32',
  'ratio, bf16',
  'the fastest fp32 mode',
  'fp32 to fp32',
];
const cells = (row) => [
  `${row.work === 'training' ? 'step' : 'image'}, ${row.width}, batch ${row.batch}`,
  ours(row.ours.fp32),
  ours(row.ours.bf16),
  best(row.best.all),
  ratio(row.ours.fp32?.ratio),
  ratio(row.ours.bf16?.ratio),
  row.best.all.median && row.best.fp32.median?.name === row.best.all.median.name ? 'the same' : best(row.best.fp32),
  ratio(row.ours.fp32?.ratioToFp32),
];

/** Modes that failed, and why: a line each, those alike together. */
function notes(rows) {
  const found = new Map();
  for (const { work, width, batch, peers } of rows)
    for (const { peer, mode, precision, failed } of peers.filter((one) => one.failed)) {
      const name = [peer, mode, precision].filter(Boolean).join(', ');
      const key = `${name} (${work}): ${failed}`;
      found.set(key, [...(found.get(key) ?? []), `${width} ${batch}`]);
    }
  return [...found].map(([key, where]) => `- ${key}: ${where.join(', ')}`);
}

const { fp32, bf16 } = result.peakGflops;
const { load } = result;
const compared = result.rows.filter((row) => row.best.all.median && row.ours.fp32?.ratio);
const lost = compared.filter(({ ours }) => Object.values(ours).every((one) => !(one.ratio?.median >= 1)));
const failures = notes(result.rows);
const line = (list) => `| ${list.join(' | ')} |`;
const text = `${result.threads} threads of ${result.machine.processor} (${result.machine.bf16.join(', ') || 'no bf16 instructions'}), ${result.date}; ${Object.values(result.versions).join(', ') || 'no peers'}; rounds, in turn: ${result.rounds}.
${load.quiet ? `Quiet: load ${load.before.toFixed(2)} before, others took ${percent(load.others)}.` : `**Not quiet: ${load.why}.**`}
Medians, in brackets the fastest: milliseconds a training step or an image. A ratio is the peer's time by ours: below 1 the peer is faster. A peer is faster than ours in either precision in ${lost.length} of ${compared.length} rows.
Peak, measured in the run: ${fp32.allThreads} GFLOP/s in fp32, ${bf16 ? `${bf16.allThreads} in bf16 (${bf16.by})` : 'no bf16 instructions to have a peak'}; shares are the fastest's.

${line(HEAD)}
${line(HEAD.map(() => '---'))}
${result.rows.map((row) => line(cells(row))).join('\n')}
${failures.length ? `\nFailed:\n\n${failures.join('\n')}\n` : ''}`;
process.stdout.write(await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));

if (values.write) {
  const marked = /(<!-- tables: written by bench\/table\.mjs -->\n)[\s\S]*?(<!-- end of tables -->)/;
  const old = readFileSync(page, 'utf8');
  if (!marked.test(old)) throw new Error('bench/README.md has lost the marks around its tables');
  const source = `From \`${path.basename(positionals[0])}\`. `;
  const made = old.replace(marked, (_, begin, end) => `${begin}\n${source}${text}\n${end}`);
  writeFileSync(page, await format(made, { ...(await resolveConfig(page)), parser: 'markdown' }));
}
