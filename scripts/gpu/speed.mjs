// Milliseconds a training step and seconds an epoch, for both widths, at several batch sizes and precisions, beside PyTorch's modes in
// the same run; latency of one image and throughput of many; time a kernel where Nsight Compute is on the PATH.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { inference, median, trainingStep } from '../../bench/measure.mjs';

const EPOCH_IMAGES = 28_709;
const ROUNDS = 3;
const MODES = {
  plain: [],
  'channels-last': ['--channels-last'],
  compile: ['--compile'],
  graph: ['--graph'],
  'graph, channels-last': ['--graph', '--channels-last'],
  'graph, channels-last, amp': ['--graph', '--channels-last', '--amp'],
  'compile, channels-last, amp': ['--compile', '--channels-last', '--amp'],
};
// Beyond the paper's batch of 40, its plain mode and what was best at small batches tell enough.
const FEW_MODES = ['plain', 'graph', 'graph, channels-last, amp'];

export async function speed(context, before) {
  const { quick, deadline } = context;
  const onCpu = context.device === 'cpu';
  const widths = ['narrow', 'wide'];
  const batches = quick ? [40] : [15, 40, 256, 1024];
  const precisions = onCpu ? ['fp32'] : ['fp32', 'tf32', 'bf16'];
  const training = before?.training ?? [];
  const done = (width, batch) => training.some((row) => row.width === width && row.batch === batch);
  for (const width of widths)
    for (const batch of batches) {
      if (done(width, batch) || Date.now() > deadline) continue;
      const images = width === 'wide' ? (quick ? 160 : 8192) : quick ? 2000 : 60_000;
      const steps = Math.max(3, Math.ceil(images / batch));
      const times = Object.fromEntries(precisions.map((precision) => [precision, []]));
      // Alternating, so that a machine that slows down slows all alike.
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++)
        for (const precision of precisions)
          times[precision].push(
            (await trainingStep({ device: context.device, precision }, width, batch, { chunks: 1, steps })).milliseconds,
          );
      const ours = Object.fromEntries(
        precisions.map((precision) => [precision, { milliseconds: median(times[precision]), rounds: times[precision] }]),
      );
      const pytorch = peers(context, width, batch);
      const best = Math.min(...Object.values(pytorch).map((mode) => mode.milliseconds ?? Infinity));
      const epochSteps = Math.ceil(EPOCH_IMAGES / batch);
      for (const figures of Object.values(ours)) {
        figures.epochSeconds = (figures.milliseconds * epochSteps) / 1000;
        if (pytorch.plain?.milliseconds) figures.timesPlainPyTorch = pytorch.plain.milliseconds / figures.milliseconds;
        if (Number.isFinite(best)) figures.timesBestPyTorch = best / figures.milliseconds;
      }
      training.push({ width, batch, ours, pytorch });
      for (const [precision, f] of Object.entries(ours))
        console.log(
          `${width}, batch ${batch}, ${precision}: ${f.milliseconds.toFixed(3)} ms a step, ${f.epochSeconds.toFixed(2)} s an epoch${f.timesBestPyTorch ? `, ${f.timesBestPyTorch.toFixed(2)} times the best PyTorch` : ''}`,
        );
    }
  const predicting = before?.inference ?? [];
  for (const width of widths)
    for (const batch of [1, 1024]) {
      if (predicting.some((row) => row.width === width && row.batch === batch) || Date.now() > deadline) continue;
      const { milliseconds } = await inference({ device: context.device }, width, batch, quick ? 0.5 : 3);
      predicting.push({ width, batch, millisecondsAnImage: milliseconds });
      console.log(`${width}, predicting ${batch}: ${(1000 / milliseconds).toFixed(0)} images/s`);
    }
  const complete = training.length === widths.length * batches.length && predicting.length === 2 * widths.length;
  return {
    complete,
    passed: complete,
    ...(training.every(({ pytorch }) => Object.keys(pytorch).length === 0) ? { skipped: 'PyTorch is not there to be timed' } : {}),
    training,
    inference: predicting,
    kernels: before?.kernels ?? (await kernels(context)),
    memory: memory(),
  };
}

function peers({ python, peer, quick, device, deadline }, width, batch) {
  if (python === 'none' || !existsSync(peer)) return {};
  const modes = {};
  for (const [mode, flags] of Object.entries(MODES)) {
    if ((batch !== 40 && !FEW_MODES.includes(mode)) || Date.now() > deadline) continue;
    if (device === 'cpu' && /compile|graph|amp/.test(mode)) continue;
    const run = spawnSync(
      python,
      [
        peer,
        'bench',
        '--width',
        width,
        '--batch',
        String(batch),
        '--device',
        device.split(':')[0],
        '--seconds',
        quick ? '1' : '2',
        ...flags,
      ],
      { encoding: 'utf8', timeout: 150_000 },
    );
    const line = run.stdout?.split('\n').find((text) => text.startsWith('{'));
    const figures = line && JSON.parse(line);
    modes[mode] = figures
      ? { milliseconds: figures.train_ms_per_step, inferenceMilliseconds: figures.infer_ms_per_batch, version: figures.peer }
      : { failed: (run.stderr?.trim().split('\n').at(-1) || run.error?.message || String(run.signal)).slice(0, 300) };
    console.log(`  PyTorch, ${mode}: ${figures ? `${figures.train_ms_per_step.toFixed(3)} ms a step` : modes[mode].failed}`);
  }
  return modes;
}

/** Time and bytes of each kernel over a few training steps, as Nsight Compute counts them; undefined without it. */
async function kernels({ device, root, deadline }) {
  if (device === 'cpu' || spawnSync('ncu', ['--version']).error || Date.now() > deadline) return undefined;
  const byWidth = {};
  for (const width of ['narrow', 'wide']) {
    const run = spawnSync(
      'ncu',
      [
        '--csv',
        '--page',
        'raw',
        '--clock-control',
        'none',
        '--cache-control', // or every kernel would find its caches empty
        'none',
        '--metrics',
        'gpu__time_duration.sum,dram__bytes.sum',
        process.execPath,
        path.join(root, 'scripts', 'gpu', 'one-step.mjs'),
        width,
        device,
      ],
      { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 },
    );
    byWidth[width] =
      run.status === 0
        ? sumByKernel(run.stdout)
        : { failed: (run.stderr || run.stdout).trim().split('\n').slice(-3).join(' ').slice(0, 400) };
  }
  return byWidth;
}

export function sumByKernel(csv) {
  const rows = csv
    .split('\n')
    .filter((line) => line.startsWith('"'))
    .map((line) => JSON.parse(`[${line}]`));
  const [header, , ...values] = rows;
  const column = (start) => header.findIndex((name) => name.startsWith(start));
  const [name, time, bytes] = [column('Kernel Name'), column('gpu__time_duration.sum'), column('dram__bytes.sum')];
  const units = rows[1];
  const scale = { nsecond: 1e-3, ns: 1e-3, usecond: 1, us: 1, msecond: 1e3, ms: 1e3, byte: 1, Kbyte: 1e3, Mbyte: 1e6, Gbyte: 1e9 };
  const kernels = {};
  for (const row of values) {
    const of = (kernels[row[name].replace(/<.*/, '').replace(/\(.*/, '')] ??= { launches: 0, microseconds: 0, bytes: 0 });
    of.launches++;
    of.microseconds += Number(row[time].replaceAll(',', '')) * (scale[units[time]] ?? 1);
    of.bytes += Number(row[bytes].replaceAll(',', '')) * (scale[units[bytes]] ?? 1);
  }
  return kernels;
}

function memory() {
  const run = spawnSync('nvidia-smi', ['--query-gpu=memory.used,memory.total', '--format=csv,noheader'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
