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
import { MiniXception } from '../dist/index.js';
import { native } from '../dist/native.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { python: { type: 'string' }, rounds: { type: 'string', default: '3' }, out: { type: 'string' } },
});
const threads = availableParallelism();
const rounds = Number(values.rounds);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const none = {
  flip: 0,
  geometric: 0,
  rotation: 0,
  shift: 0,
  zoom: 0,
  fill: 'edge',
  photometric: 0,
  brightness: 0,
  contrast: 0,
  cutout: 0,
  cutoutSize: 0,
  fill: 'edge',
};

/** Milliseconds a training step, median and fastest of chunks of steps: SGD with momentum, 48x48, no augmentation. */
async function trainingStep(width, batch) {
  const [chunks, steps] = width === 'wide' ? [15, 2] : [60, 10];
  const count = batch * steps;
  const images = new Uint8Array(count * 2304).map((_, i) => Math.imul(i, 2654435761) >>> 24);
  const data = new (native().DataSet)(
    images,
    new Uint8Array(count).map((_, i) => i % 7),
    48,
  );
  const model = MiniXception.create({ width, threads });
  const trainer = new (native().Trainer)(model.native, data, {
    batchSize: batch, optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
    clipNorm: 0, labelSmoothing: 0, classWeights: new Float32Array(0), emaDecay: 0, seed: 0, balancedSampling: 0,
    rareAugmentation: 0, augmentation: none,
  }); // prettier-ignore
  const epoch = (n, number) =>
    trainer.trainEpoch(
      {
        epoch: number,
        indices: Uint32Array.from({ length: n * batch }, (_, i) => i),
        learningRates: new Float32Array(n).fill(0.01),
        from: { lossSum: 0, correct: 0, seen: 0, step: 0 },
      },
      () => {},
    );
  await epoch(steps, 0);
  const times = [];
  for (let chunk = 1; chunk <= chunks; chunk++) {
    const started = performance.now();
    await epoch(steps, chunk);
    times.push((performance.now() - started) / steps);
  }
  const flops = 6 * model.multiplyAdds * batch;
  trainer.dispose();
  data.dispose();
  model.dispose();
  return { milliseconds: median(times), fastest: Math.min(...times), flops };
}

/** Milliseconds an image, through the addon's promise as a user sees it. */
async function inference(width, batch) {
  const model = MiniXception.create({ width, threads });
  const images = new Uint8Array(batch * 2304).map((_, i) => (i * 31) & 255);
  for (let i = 0; i < 20; i++) await model.native.logits(images, batch);
  const times = [];
  for (const end = performance.now() + 3000; performance.now() < end; ) {
    const started = performance.now();
    await model.native.logits(images, batch);
    times.push(performance.now() - started);
  }
  const flops = 2 * model.multiplyAdds;
  model.dispose();
  return { milliseconds: median(times) / batch, fastest: Math.min(...times) / batch, flops };
}

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
    ours.push(await trainingStep(width, batch));
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
      ours.push(await inference(width, batch));
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
