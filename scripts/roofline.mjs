#!/usr/bin/env node
// Roofline of a training step: launches, bytes, operations and expected times (docs/performance.md explains them).
//   node scripts/roofline.mjs                      the tables, as Markdown
//   node scripts/roofline.mjs --json FILE          every prediction, kernel by kernel
//   node scripts/roofline.mjs --measured FILE      measured runs beside their predictions
//   node scripts/roofline.mjs --write              puts the tables into docs/performance.md
// A measured FILE is JSON: { "gpu", "width", "batch", "precision", "stepMilliseconds", "kernels": { name: microseconds } } or an
// array of such; `kernels` is optional and sums over launches of one name.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { readFlags } from './flags.mjs';
import { GPUS, predict } from './roofline/prediction.mjs';
import { WIDTHS } from './roofline/launches.mjs';

const BATCHES = [15, 40, 256];
const PRECISIONS = ['fp32', 'tf32', 'bf16'];
const page = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'performance.md');
const [BEGIN, END] = ['<!-- roofline: made by scripts/roofline.mjs -->', '<!-- end of roofline -->'];

const everything = () =>
  WIDTHS.flatMap((width) =>
    BATCHES.flatMap((batch) => Object.keys(GPUS).flatMap((gpu) => PRECISIONS.map((precision) => predict(width, batch, gpu, precision)))),
  );

const table = (head, rows) =>
  [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function byName(prediction) {
  const names = new Map();
  for (const kernel of prediction.kernels) {
    const row = names.get(kernel.op) ?? { launches: 0, microseconds: 0, bytes: 0, flops: 0, bounds: new Set() };
    row.launches += 1;
    row.microseconds += kernel.microseconds;
    row.bytes += kernel.bytes;
    row.flops += kernel.flops;
    row.bounds.add(kernel.bound);
    names.set(kernel.op, row);
  }
  return names;
}

function tables() {
  const all = everything();
  const find = (width, batch, gpu, precision) =>
    all.find((p) => p.width === width && p.batch === batch && p.gpu === gpu && p.precision === precision);
  const steps = [];
  for (const width of WIDTHS)
    for (const batch of BATCHES) {
      const one = find(width, batch, 'H100', 'fp32');
      const times = Object.keys(GPUS).map((gpu) =>
        PRECISIONS.map((precision) => digits(find(width, batch, gpu, precision).stepMilliseconds)).join(' / '),
      );
      steps.push([width, batch, one.launches, one.longestPath, digits(one.megabytes), digits(one.gigaflops), ...times]);
    }
  const epochs = WIDTHS.flatMap((width) =>
    BATCHES.map((batch) => [
      width,
      batch,
      ...Object.keys(GPUS).map((gpu) => PRECISIONS.map((p) => digits(find(width, batch, gpu, p).epochSeconds)).join(' / ')),
    ]),
  );
  const kernels = ['narrow', 'wide'].map((width) => {
    const rows = [...byName(find(width, 40, 'H100', 'tf32'))].map(([name, row]) => [
      name,
      row.launches,
      digits(row.bytes / 1e6),
      digits(row.flops / 1e9),
      digits(row.microseconds),
      [...row.bounds].join(', '),
    ]);
    return `Kernels, ${width}, batch 40, H100, tf32 (**prediction**; a kernel's own time, also where it runs beside another):\n\n${table(['kernel', 'launches', 'MB', 'GFLOP', 'µs', 'bound by'], rows)}`;
  });
  const gpus = Object.keys(GPUS);
  return [
    `A step (**prediction**; times are fp32 / tf32 / bf16, milliseconds):\n\n${table(['width', 'batch', 'launches', 'longest path', 'MB', 'GFLOP', ...gpus], steps)}`,
    `An epoch of 28,709 images (**prediction**; fp32 / tf32 / bf16, seconds):\n\n${table(['width', 'batch', ...gpus], epochs)}`,
    ...kernels,
  ].join('\n\n');
}

function beside(file) {
  const runs = [JSON.parse(readFileSync(file, 'utf8'))].flat();
  return runs
    .map((run) => {
      for (const [key, known] of [
        ['gpu', Object.keys(GPUS)],
        ['width', WIDTHS],
        ['precision', PRECISIONS],
      ])
        if (!known.includes(run[key]))
          throw new Error(`expected one of ${known.join(', ')}, got ${run[key]}, for ${key} of a run in ${file}`);
      const p = predict(run.width, run.batch, run.gpu, run.precision);
      const row = (name, predicted, measured) => [
        name,
        digits(predicted),
        measured === undefined ? '' : digits(measured),
        measured === undefined ? '' : digits(measured / predicted),
      ];
      const rows = [row('the step, ms', p.stepMilliseconds, run.stepMilliseconds)];
      for (const [name, one] of byName(p)) rows.push(row(`${name}, µs`, one.microseconds, run.kernels?.[name]));
      return `${run.width}, batch ${run.batch}, ${run.gpu}, ${run.precision}:\n\n${table(['', 'predicted', 'measured', 'measured / predicted'], rows)}`;
    })
    .join('\n\n');
}

const { values } = readFlags({ options: { json: { type: 'string' }, measured: { type: 'string' }, write: { type: 'boolean' } } });
if (values.json) writeFileSync(values.json, `${JSON.stringify(everything(), null, 1)}\n`);
else if (values.measured) console.log(beside(values.measured));
else if (values.write) {
  const text = readFileSync(page, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`expected the lines ${BEGIN} and ${END} in docs/performance.md`);
  writeFileSync(page, `${text.slice(0, begin + BEGIN.length)}\n\n${tables()}\n\n${text.slice(end)}`);
} else console.log(tables());
