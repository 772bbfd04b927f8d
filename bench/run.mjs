#!/usr/bin/env node
// Training and inference beside PyTorch and ONNX Runtime, alternating in one run so that a noisy machine treats all alike.
//   node bench/run.mjs [--python <python with torch, onnx, onnxruntime>] [--rounds 3] [--out bench/results/<name>.json]
// Without --python only this package is measured. Needs: npm run build.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { native } from '../dist/native.js';
import { inference, median, trainingStep } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { python: { type: 'string' }, rounds: { type: 'string', default: '3' }, out: { type: 'string' } },
});
const threads = availableParallelism();
const rounds = Number(values.rounds);
const CHUNKS = { narrow: { chunks: 60, steps: 10 }, wide: { chunks: 15, steps: 2 } };
function python(script, ...args) {
  if (!values.python) return undefined;
  try {
    const output = execFileSync(values.python, [path.join(root, 'bench', 'peers', script), '--threads', String(threads), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  } catch (error) {
    return [{ failed: String(error.signal ?? error.status) }];
  }
}

mkdirSync(path.join(root, 'build'), { recursive: true });
const peakBinary = path.join(root, 'build', 'peak');
execFileSync(process.env.CXX ?? 'c++', [
  '-O2',
  '-march=native',
  '-std=c++17',
  '-pthread',
  path.join(root, 'bench', 'peak.cc'),
  '-o',
  peakBinary,
]);
const peak = JSON.parse(execFileSync(peakBinary, { encoding: 'utf8' }));
const results = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0].model,
  threads,
  node: process.versions.node,
  isa: native().systemInfo().isa,
  peakGflops: peak,
  training: [],
  inference: [],
};

// What the rounds of one contender come to: the median of their medians, and the fastest of all.
const summary = (rounds) =>
  rounds.length
    ? {
        milliseconds: median(rounds.map((r) => r.milliseconds)),
        fastest: Math.min(...rounds.map((r) => r.fastest)),
        rounds: rounds.map((r) => r.milliseconds),
      }
    : undefined;
const share = (flops, milliseconds) => flops / milliseconds / 1e6 / peak.allThreads;

for (const [width, batch] of [
  ['narrow', 40],
  ['wide', 40],
]) {
  const ours = [];
  const peers = { default: [], channelsLast: [] };
  for (let round = 0; round < rounds; round++) {
    ours.push(await trainingStep({ threads }, width, batch, CHUNKS[width]));
    for (const [mode, flag] of [
      ['default', []],
      ['channelsLast', ['--channels-last']],
    ]) {
      const line = python('torch_train.py', '--width', width, '--batch', String(batch), ...flag)?.[0];
      if (line?.milliseconds) peers[mode].push(line);
      else if (line) results.training.push({ width, batch, mode, ...line });
    }
  }
  const mine = summary(ours);
  const pytorch = { default: summary(peers.default), channelsLast: summary(peers.channelsLast) };
  const best = (figure) => Math.min(...Object.values(pytorch).flatMap((mode) => (mode ? [mode[figure]] : [])));
  results.training.push({
    width,
    batch,
    ...mine,
    shareOfPeak: share(ours[0].flops, mine.milliseconds),
    shareOfPeakFastest: share(ours[0].flops, mine.fastest),
    pytorch,
    ...(values.python && { ratio: best('milliseconds') / mine.milliseconds, ratioOfFastest: best('fastest') / mine.fastest }),
  });
}
for (const width of ['narrow', 'wide'])
  for (const batch of [1, 64]) {
    const ours = [];
    const theirs = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await inference({ threads }, width, batch, 3));
      const line = python('onnx_infer.py', '--width', width, String(batch))?.[0];
      if (line?.milliseconds) theirs.push(line);
    }
    const mine = summary(ours);
    const onnxRuntime = summary(theirs);
    results.inference.push({
      width,
      batch,
      ...mine,
      shareOfPeak: share(ours[0].flops, mine.milliseconds),
      shareOfPeakFastest: share(ours[0].flops, mine.fastest),
      onnxRuntime,
      ...(onnxRuntime && { ratio: onnxRuntime.milliseconds / mine.milliseconds, ratioOfFastest: onnxRuntime.fastest / mine.fastest }),
    });
  }
const json = `${JSON.stringify(results, null, 2)}\n`;
if (values.out) writeFileSync(values.out, json);
process.stdout.write(json);
