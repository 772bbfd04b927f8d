#!/usr/bin/env node
// This build beside another, in turn, each in a process of its own: milliseconds of a training step and of an inference, medians
// and fastest over the rounds, and their ratio. For changes that should cost nothing, and for those that should save.
//   node bench/pair.mjs <folder of another build> [--rounds 5] [--threads 2] [--out FILE]
// Needs in both: npm run build. Quiet machine: the load before and after is printed.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readFlags } from '../scripts/flags.mjs';
import { median } from './measure.mjs';

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' }, out: { type: 'string' } },
});
if (positionals.length !== 1) throw new Error('expected the folder of another build, built; see the first lines of bench/pair.mjs');
const BUILDS = { this: fileURLToPath(new URL('..', import.meta.url)), other: path.resolve(positionals[0]) };

// What a child runs: the build's own measure.mjs.
const WORK = [
  { name: 'narrow, training step of 40', call: `trainingStep(device, 'narrow', 40, { chunks: 12, steps: 10 })` },
  { name: 'wide, training step of 40', call: `trainingStep(device, 'wide', 40, { chunks: 6, steps: 1 })` },
  { name: 'narrow, an image alone', call: `inference(device, 'narrow', 1, 1)` },
  { name: 'narrow, an image of 64', call: `inference(device, 'narrow', 64, 1)` },
  { name: 'wide, an image alone', call: `inference(device, 'wide', 1, 1)` },
  { name: 'wide, an image of 64', call: `inference(device, 'wide', 64, 1)` },
];

function measured(build, call) {
  const module = pathToFileURL(path.join(BUILDS[build], 'bench', 'measure.mjs')).href;
  const script = `const { trainingStep, inference } = await import(${JSON.stringify(module)});
    const device = { device: 'cpu', threads: ${Number(values.threads)} };
    const { milliseconds, fastest } = await ${call};
    console.log(JSON.stringify({ milliseconds, fastest }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const before = loadavg()[0];
const rows = WORK.map(({ name, call }) => {
  const rounds = { this: [], other: [] };
  for (let round = 0; round < Number(values.rounds); round++)
    for (const build of round % 2 ? ['other', 'this'] : ['this', 'other']) rounds[build].push(measured(build, call));
  const of = (build, key, pick) => pick(rounds[build].map((one) => one[key]));
  const fastest = (list) => Math.min(...list);
  const row = {
    work: name,
    this: of('this', 'milliseconds', median),
    other: of('other', 'milliseconds', median),
    thisFastest: of('this', 'fastest', fastest),
    otherFastest: of('other', 'fastest', fastest),
  };
  return { ...row, ratio: row.this / row.other, ratioFastest: row.thisFastest / row.otherFastest };
});
const result = {
  date: new Date().toISOString().slice(0, 10),
  processor: cpus()[0].model,
  node: process.versions.node,
  threads: Number(values.threads),
  rounds: Number(values.rounds),
  load: { before, after: loadavg()[0] },
  rows,
};
const digits = (value) => value.toFixed(value < 1 ? 3 : 2);
console.table(
  rows.map((row) => ({
    work: row.work,
    'ms (fastest)': `${digits(row.this)} (${digits(row.thisFastest)})`,
    'other, ms': `${digits(row.other)} (${digits(row.otherFastest)})`,
    ratio: row.ratio.toFixed(3),
    'of fastest': row.ratioFastest.toFixed(3),
  })),
);
console.log(`load ${before.toFixed(2)} before, ${result.load.after.toFixed(2)} after; ${result.processor}`);
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
