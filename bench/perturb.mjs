#!/usr/bin/env node
// Robustness: perturbs and classifies a whole split, prints the table of the paper's settings and the time it took.
//   node bench/perturb.mjs --data fer2013.csv [--model <file>] [--all] [--clockwise] [--split PublicTest] [--threads 0] [--out bench/results/<name>.json]
// --all adds every perturbation at five severities, --clockwise the paper's degrees the other way round (as a table of
// oarriaga's network was made that docs/perturbations.md compares with). Without --data: the synthetic faces. Needs: npm run build.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../scripts/flags.mjs';
import { MiniXception, loadDataSet, measureRobustness, PAPER_SERIES, SEVERITY_SERIES } from '../dist/index.js';

const { values } = readFlags({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: fileURLToPath(new URL('../models/mini-xception-narrow/model.safetensors', import.meta.url)) },
    split: { type: 'string', default: 'PublicTest' },
    all: { type: 'boolean', default: false },
    clockwise: { type: 'boolean', default: false },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const clockwise = {
  ...PAPER_SERIES[0],
  id: 'clockwise',
  title: 'Rotation, clockwise',
  settings: PAPER_SERIES[0].settings.map((setting) => ({ ...setting, perturbation: { type: 'rotation', degrees: -setting.value } })),
};
const threads = Number(values.threads);
const model = await MiniXception.load(values.model, { threads });
const data = await loadDataSet(values.data, { size: model.inputSize });
const load = loadavg()[0];
const result = await measureRobustness(model, data, {
  split: values.split,
  seed: Number(values.seed),
  threads,
  series: [...PAPER_SERIES, ...(values.clockwise ? [clockwise] : []), ...(values.all ? SEVERITY_SERIES : [])],
});

const percent = (share) => (100 * share).toFixed(1).padStart(6);
console.log(
  `${path.basename(values.model)} on ${values.split}, n = ${result.clean.n}: ${percent(result.clean.share).trim()} % unperturbed`,
);
for (const { title, points } of result.series) {
  console.log(
    `\n${title.padEnd(26)}    all  95 % interval   kept: pooled  class mean   k/${result.protocolRows.length}  ${result.draws} draws`,
  );
  for (const { label, accuracy, kept, protocol, draws, paper } of points)
    console.log(
      `${label.padEnd(26)} ${percent(accuracy.share)} ${percent(accuracy.interval[0])}..${percent(accuracy.interval[1])} ` +
        `       ${percent(kept.pooled.share)}      ${percent(kept.classMean)}   ${String(protocol.k).padStart(4)} ${percent(draws.mean)}` +
        ` (${percent(draws.low)}..${percent(draws.high)})${paper ? `   paper ${paper.bound ? '<' : ''}${paper.k}` : ''}`,
    );
}
const { images, seconds, cpuSeconds } = result;
console.log(
  `\n${images} images perturbed and classified in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processor time ` +
    `(${model.deviceDescription}; load before ${load.toFixed(1)})`,
);
if (values.out) {
  const rounded = (share) => Math.round(share * 1e4) / 1e4;
  const series = result.series.map(({ id, points }) => ({
    id,
    points: points.map(({ label, accuracy, kept, protocol, draws, paper }) => ({
      label,
      accuracy: rounded(accuracy.share),
      interval: accuracy.interval.map(rounded),
      kept: rounded(kept.pooled.share),
      keptClassMean: rounded(kept.classMean),
      protocol: protocol.k,
      draws: [draws.mean, draws.low, draws.high].map(rounded),
      paper: paper?.k,
    })),
  }));
  const { split, seed, clean, protocolRows } = result;
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    device: model.deviceDescription,
    loadBefore: load,
    model: values.model.split(path.sep).slice(-2).join('/'),
    data: data.name,
    split,
    seed,
    n: clean.n,
    clean: rounded(clean.share),
    protocolRows,
    images,
    seconds: rounded(seconds),
    cpuSeconds: rounded(cpuSeconds),
  };
  // One setting a line.
  const text = JSON.stringify({ ...facts, series }, null, 2);
  writeFileSync(values.out, `${text.replace(/\{\n\s+"label"[^}]*\}/g, (point) => point.replace(/\s*\n\s*/g, ' '))}\n`);
}
