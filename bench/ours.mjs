#!/usr/bin/env node
// This package as one contender of bench/run.mjs, told and answering as the scripts of bench/peers/ are: a line of JSON a batch size.
//   node bench/ours.mjs training|prediction --width narrow [--precision bf16] [--threads 2] [--seconds 2] 15 40
import { readFlags } from '../scripts/flags.mjs';
import { MiniXception } from '../dist/index.js';
import { inference, trainingStep } from './measure.mjs';

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: {
    width: { type: 'string', default: 'narrow' },
    precision: { type: 'string', default: 'fp32' },
    threads: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '2' },
  },
});
const [work, ...batches] = positionals;
const { width, precision } = values;
const seconds = Number(values.seconds);
const device = { device: 'cpu', threads: Number(values.threads), precision };

/** Calls of about 50 ms, as an epoch's beginning and end are no part of a step. */
async function training(batch) {
  const { milliseconds } = await trainingStep(device, width, batch, { chunks: 1, steps: 1 });
  const steps = Math.ceil(50 / milliseconds);
  return trainingStep(device, width, batch, { chunks: Math.max(3, Math.ceil((seconds * 1000) / (milliseconds * steps))), steps });
}

try {
  const model = MiniXception.create({ width, ...device });
  const version = model.deviceDescription;
  model.dispose();
  for (const batch of batches.map(Number)) {
    const figures = await (work === 'training' ? training(batch) : inference(device, width, batch, seconds));
    console.log(JSON.stringify({ version, batch, ...figures }));
  }
} catch (error) {
  console.error(`${error.code ?? error.name}: ${error.message}`);
  process.exitCode = 1;
}
