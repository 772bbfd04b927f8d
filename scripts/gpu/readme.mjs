#!/usr/bin/env node
// The README's table of epochs on a GPU, from bench/results/*/speed.json as scripts/gpu-check leaves them; a GPU that was never measured
// stands there with the roofline's prediction, marked as one.
//   node scripts/gpu/readme.mjs            writes the table into README.md
//   node scripts/gpu/readme.mjs --check    exit status 1 where the table is not what it would write
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { predict } from '../roofline/prediction.mjs';

const BATCH = 40;
const PAPER = { narrow: 58.3, wide: 146.3 };
const PREDICTED = ['H100', 'H200'];
const PRECISIONS = ['fp32', 'tf32', 'bf16'];
const [BEGIN, END] = ['<!-- gpu: made by scripts/gpu/readme.mjs -->', '<!-- end of gpu -->'];

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = path.join(root, 'README.md');

/** Every measured GPU: its name, and its training figures. */
function measured() {
  const results = path.join(root, 'bench', 'results');
  return readdirSync(results)
    .map((name) => path.join(results, name, 'speed.json'))
    .filter(existsSync)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')))
    .filter(({ rehearsal }) => !rehearsal)
    .map(({ device, training }) => ({ gpu: device.split(', ')[1] ?? device, training }));
}

function table() {
  const machines = measured();
  const rows = [];
  for (const width of ['narrow', 'wide']) {
    for (const { gpu, training } of machines) {
      const row = training.find((candidate) => candidate.width === width && candidate.batch === BATCH);
      if (!row) continue;
      const figures = PRECISIONS.map((precision) => row.ours[precision]);
      const ratio = Math.max(...figures.map((f) => f?.timesBestPyTorch ?? 0));
      rows.push([width, gpu, ...figures.map((f) => f?.epochSeconds.toFixed(2) ?? '–'), ratio > 0 ? ratio.toFixed(1) : '–', PAPER[width]]);
    }
    for (const gpu of PREDICTED.filter((name) => !machines.some((machine) => machine.gpu.includes(name)))) {
      const seconds = PRECISIONS.map((precision) =>
        ((predict(width, BATCH, gpu, precision).stepMilliseconds * Math.ceil(28_709 / BATCH)) / 1000).toFixed(2),
      );
      rows.push([width, `${gpu}, **predicted**`, ...seconds, '–', PAPER[width]]);
    }
  }
  const head = ['width, batch 40', 'GPU', 'fp32', 'tf32', 'bf16', 'times the best PyTorch', 'the paper, RTX 3070'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const text = readFileSync(readme, 'utf8');
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
if (begin < 0 || end < begin) throw new Error('README.md has no place for the table of GPUs');
const { format, resolveConfig } = await import('prettier');
const wanted = await format(`${text.slice(0, begin)}${BEGIN}\n\n${table()}\n\n${text.slice(end)}`, {
  ...(await resolveConfig(readme)),
  filepath: readme,
});
if (!process.argv.includes('--check')) writeFileSync(readme, wanted);
else if (wanted !== text) {
  console.error('README.md: the table of GPUs is not what bench/results says; run: node scripts/gpu/readme.mjs');
  process.exit(1);
}
