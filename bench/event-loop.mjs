#!/usr/bin/env node
// How long does the event loop wait while a model trains and everything else is asked of the package at once?
//   node bench/event-loop.mjs [--width wide] [--seconds 60] [--data fer2013.csv.gz] [--out bench/results/event-loop.json]
// Needs: npm run build. Prints the delay of a timer (perf_hooks, resolution 1 ms) without any load, during each call alone, during the
// training alone, and with all of it at once; and how often each call was answered meanwhile.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { readFlags } from '../scripts/flags.mjs';
import { loadDataSet, MiniXception } from '../dist/index.js';
import { watch } from './quiet.mjs';

const { values } = readFlags({
  options: {
    width: { type: 'string', default: 'wide' },
    seconds: { type: 'string', default: '60' },
    data: { type: 'string' },
    out: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const watched = watch();
const folder = mkdtempSync(path.join(tmpdir(), 'fer-event-loop-'));

/** Milliseconds of delay while `work` runs. */
async function delayDuring(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  await setTimeout(10); // the last delay is counted when the timer comes
  delay.disable();
  const ms = (nanoseconds) => Number((nanoseconds / 1e6 - 1).toFixed(1)); // the timer's own period is no delay
  return { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), p999: ms(delay.percentile(99.9)), max: ms(delay.max) };
}

/** Trains until `during` ends; saves an epoch of a few steps each time. */
async function training(model, data, during) {
  const stop = new AbortController();
  const runFolder = path.join(folder, 'run');
  rmSync(runFolder, { recursive: true, force: true });
  const fit = model.fit(data, { preset: 'clean', epochs: 1000, batchSize: 40, emaDecay: 0.99, runFolder, signal: stop.signal });
  await Promise.race([during(), fit]);
  stop.abort();
  return (await fit).rows.length;
}

const data = await loadDataSet(values.data);
// Short epochs, so that validation, checkpoints and reports are met often.
const few = { ...data, splits: new Map([...data.splits].map(([name, rows]) => [name, rows.slice(0, 400)])) };
const model = MiniXception.create({ width: values.width });
const other = await MiniXception.pretrained('narrow');
const file = path.join(folder, 'model.safetensors');
await model.save(file);
const picture = { pixels: data.images.slice(0, data.size ** 2), width: data.size, height: data.size };

const calls = {
  predict: () => model.predict(picture),
  'predict 64': () => model.predict(Array.from({ length: 64 }, () => picture)),
  'predict of another model': () => other.predict(picture),
  explain: () => model.explain(picture),
  tensors: () => model.tensors(),
  save: () => model.save(path.join(folder, 'copy.safetensors')),
  clone: async () => (await model.clone()).dispose(),
  load: async () => (await MiniXception.load(file)).dispose(),
  evaluate: () => other.evaluate(few),
  loadDataSet: () => loadDataSet(values.data),
};

/** Calls one after another for two seconds. */
const again = (call) => async () => {
  for (const end = performance.now() + 2000; performance.now() < end; ) await call();
};

const answered = Object.fromEntries(Object.keys(calls).map((name) => [name, 0]));
const everything = () => {
  const end = performance.now() + seconds * 1000;
  return Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      while (performance.now() < end) {
        await call();
        answered[name]++;
      }
    }),
  );
};

try {
  const idle = await delayDuring(() => setTimeout(5000));
  const alone = {};
  for (const [name, call] of Object.entries(calls)) alone[name] = await delayDuring(again(call));
  let epochs = 0;
  const trained = await delayDuring(async () => (epochs = await training(model, few, () => setTimeout(seconds * 1000))));
  const together = await delayDuring(async () => (epochs += await training(model, few, everything)));
  const result = {
    machine: cpus()[0].model,
    cores: cpus().length,
    device: model.deviceDescription,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    machineQuiet: watched(),
    width: values.width,
    data: data.name,
    seconds,
    epochs,
    delayMilliseconds: { idle, ...alone, training: trained, 'everything at once': together },
    answered,
  };
  console.table(result.delayMilliseconds);
  console.table(answered);
  if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
