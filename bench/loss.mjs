#!/usr/bin/env node
// The loss over the first steps on FER2013 in each precision, the same seed and order: preset `paper`'s optimiser, batch 40.
//   node bench/loss.mjs <fer2013.csv> [--width wide] [--steps 200] [--rate 0.002] [--seeds 1] [--out bench/results/<name>.json]
import { writeFileSync } from 'node:fs';
import { readFlags } from '../scripts/flags.mjs';
import { loadDataSet, MiniXception } from '../dist/index.js';
import { residentData } from '../dist/network/resident.js';
import { epochOf, paperTrainer } from './measure.mjs';

const BATCH = 40;
const TOGETHER = 20; // steps that a figure is the mean of

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: {
    width: { type: 'string', default: 'wide' },
    steps: { type: 'string', default: '200' },
    rate: { type: 'string', default: '0.002' },
    seeds: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const { width } = values;
const rate = Number(values.rate);
const set = await loadDataSet(positionals[0]);
const training = set.splits.get('Training');
const data = await residentData(set);

async function losses(precision, seed) {
  const model = MiniXception.create({ width, precision, seed, threads: 2 });
  const trainer = await paperTrainer(model, data, BATCH, { seed });
  const curve = [];
  let at = seed;
  for (let done = 0; done < Number(values.steps); done += TOGETHER) {
    const rows = Uint32Array.from({ length: TOGETHER * BATCH }, () => training[(at = (at + 7919) % training.length)]);
    const { lossSum, seen } = await epochOf(trainer, done / TOGETHER, rows, BATCH, rate);
    curve.push(Number((lossSum / seen).toFixed(4)));
  }
  const device = model.deviceDescription;
  trainer.dispose();
  model.dispose();
  return { device, curve };
}

const result = { width, batch: BATCH, rate, steps: Number(values.steps), meanOfSteps: TOGETHER, runs: [] };
for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const precision of ['fp32', 'bf16']) {
    const run = { seed, precision, ...(await losses(precision, seed)) };
    result.runs.push(run);
    console.log(`seed ${seed}, ${precision}: ${run.curve.join(' ')}  (${run.device})`);
  }
data.dispose();
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
