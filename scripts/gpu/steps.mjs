// Training steps from the same weights over the same batches: on the device, on the CPU, in PyTorch; then whether the
// device repeats itself bit for bit, goes on from a saved state as if never stopped, and survives memory that runs out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { epochOf, paperTrainer } from '../../bench/measure.mjs';
import { loadDataSet, MiniXception, resolveConfig } from '../../dist/index.js';
import { residentData } from '../../dist/network/resident.js';
import { encodeSafetensors } from '../../dist/network/safetensors.js';
import { openTrainer } from '../../dist/training/trainer.js';
import { EARLY_STEPS, judge, RECIPES } from './drift.mjs';

const BATCH = 40;
const WIDTHS = ['narrow', 'wide'];
const CPU_THREADS = [1, 2, 3];

/**
 * Trains step by step from step `from` to `to`: the loss of each step, weights and averaged weights after the first few, and all
 * tensors at the end. `start` is what was trained before `from`.
 */
async function train(model, trainer, rowsOf, rate, from, to, start) {
  const losses = [...(start?.losses ?? [])];
  let { early, average } = start ?? {};
  for (let step = from; step < to; step++) {
    const totals = await epochOf(trainer, step, rowsOf(step), BATCH, rate);
    losses.push(totals.lossSum / BATCH);
    if (step + 1 !== EARLY_STEPS) continue;
    early = await model.native.tensors();
    average = (await trainer.state()).filter(({ name }) => name.startsWith('ema.'));
  }
  return { losses, early, average, tensors: await model.native.tensors() };
}

/** Trains from `weights` by a recipe of drift.mjs, on any device: from one step to another, or on from what was trained `before`. */
export const walker =
  ({ width, weights, resident, rowsOf }, { rate, options }) =>
  async (device, from, to, before) => {
    const model = MiniXception.create({ width, ...device });
    await model.native.setTensors(before?.tensors ?? weights);
    const trainer = await paperTrainer(model, resident, BATCH, options);
    try {
      if (before) await trainer.setState(before.optimiser, from);
      const result = await train(model, trainer, rowsOf, rate, from, to, before);
      return { ...result, optimiser: await trainer.state() };
    } finally {
      trainer.dispose();
      model.dispose();
    }
  };

/** Random weights that are the same everywhere. */
export async function firstWeights(width) {
  const start = MiniXception.create({ width, seed: 1 });
  try {
    return await start.native.tensors();
  } finally {
    start.dispose();
  }
}

/** What the CPU does in three orders of sums, and in bf16. */
export async function references(walk, count) {
  const inOrders = [];
  for (const threads of CPU_THREADS) inOrders.push(await walk({ device: 'cpu', threads }, 0, count));
  return { inOrders, inBf16: await walk({ device: 'cpu', precision: 'bf16' }, 0, count) };
}

const identical = (a, b) => a.every(({ data }, i) => Buffer.compare(new Uint8Array(data.buffer), new Uint8Array(b[i].data.buffer)) === 0);

/** The losses of the same steps by PyTorch in float32, or why it is skipped. */
function pytorch(context, width, weights, images, labels, count) {
  if (context.python === 'none') return { skipped: 'PyTorch was not asked for' };
  const folder = mkdtempSync(path.join(tmpdir(), 'fer-steps-'));
  try {
    const tensors = new Map(weights.map(({ name, shape, data }) => [name, { shape, data }]));
    writeFileSync(path.join(folder, 'weights.safetensors'), Buffer.concat(encodeSafetensors(tensors, {})));
    writeFileSync(path.join(folder, 'images.u8'), images);
    writeFileSync(path.join(folder, 'labels.u8'), labels);
    const device = context.device.startsWith('cuda') ? 'cuda' : 'cpu';
    const script = path.join(context.root, 'scripts', 'gpu', 'steps.py');
    const run = spawnSync(
      context.python,
      [
        script,
        folder,
        '--width',
        width,
        '--batch',
        String(BATCH),
        '--rate',
        String(RECIPES.sgd.rate),
        '--steps',
        String(count),
        '--device',
        device,
      ],
      { encoding: 'utf8' },
    );
    if (run.status !== 0) {
      return { skipped: `PyTorch: ${(run.stderr || run.error?.message || '').trim().split('\n').at(-1)}` };
    }
    return JSON.parse(run.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function steps(context) {
  const data = await loadDataSet(context.data);
  const training = data.splits.get('Training');
  // Chaos has its way after some hundred steps of the narrow network; a wide step takes a CPU a second.
  const counts = context.quick ? { narrow: 12, wide: 6 } : { narrow: 200, wide: 40 };
  const most = Math.max(...Object.values(counts));
  // A fixed walk through the split that visits the classes mixed: 7919 is prime.
  const walk = Uint32Array.from({ length: most * BATCH }, (_, i) => training[(i * 7919) % training.length]);
  const rowsOf = (step) => walk.subarray(step * BATCH, (step + 1) * BATCH);
  const pixels = data.size * data.size;
  const images = Buffer.concat([...walk].map((row) => data.images.subarray(row * pixels, (row + 1) * pixels)));
  const labels = Uint8Array.from(walk, (row) => data.labels[row]);
  const resident = await residentData(data);
  const results = {};
  const skipped = [];
  let passed = true;
  const check = (name, { passed: good, ...figures }) => {
    results[name] = { passed: good, ...figures };
    passed &&= good;
    console.log(
      `${good ? 'ok    ' : 'FAILED'} ${name}${Object.keys(figures).length > 0 ? ` ${JSON.stringify(figures, (_, v) => (typeof v === 'number' ? Number(v.toPrecision(3)) : Array.isArray(v) ? undefined : v))}` : ''}`,
    );
  };
  try {
    for (const width of context.quick ? ['narrow'] : WIDTHS)
      for (const [recipe, how] of Object.entries(RECIPES)) {
        const weights = await firstWeights(width);
        const walk = walker({ width, weights, resident, rowsOf }, how);
        const count = counts[width];
        const { inOrders, inBf16 } = await references(walk, count);
        const beside = (run, precision) => judge(run, inOrders, inBf16, weights, precision);
        if (recipe === 'sgd') {
          const torch = pytorch(context, width, weights, images, labels, count);
          if (torch.skipped) {
            results[`${width}: CPU beside PyTorch`] = torch;
            skipped.push(torch.skipped);
          } else {
            const mean = Math.abs(torch.losses.reduce((a, b) => a + b, 0) - inOrders[0].losses.reduce((a, b) => a + b, 0)) / count;
            const allowed = beside(inOrders[0], 'fp32').allowed.mean;
            check(`${width}: CPU beside PyTorch ${torch.version}`, {
              passed: mean <= allowed,
              message: `mean loss ${mean} apart`,
              losses: torch.losses,
            });
          }
        }
        for (const precision of context.device === 'cpu' ? ['fp32'] : ['fp32', 'tf32', 'bf16']) {
          const device = { device: context.device, precision };
          const name = `${width}, ${recipe}, ${precision}`;
          const once = await walk(device, 0, count);
          check(`${name}: device beside CPU`, { ...beside(once, precision), losses: once.losses });
          const again = await walk(device, 0, count);
          check(`${name}: the same bits twice`, { passed: identical(once.tensors, again.tensors) });
          const half = await walk(device, 0, count / 2);
          const rest = await walk(device, count / 2, count, half);
          check(`${name}: the same bits after going on from a saved state`, { passed: identical(once.tensors, rest.tensors) });
        }
      }
    check('memory that runs out is a typed error, and the model lives on', await outOfMemory(context, resident));
  } finally {
    resident.dispose();
  }
  return { passed, ...(skipped.length > 0 ? { skipped } : {}), steps: most, batch: BATCH, data: data.source.split('/').at(-1), results };
}

async function outOfMemory(context, resident) {
  const model = MiniXception.create({ width: 'wide', device: context.device });
  try {
    let message = 'a batch of a million images fitted';
    let code;
    try {
      const options = { ...resolveConfig({ preset: 'paper' }), batchSize: 1_000_000 };
      (await openTrainer(model, resident, options)).dispose();
    } catch (error) {
      ({ message, code } = error);
    }
    const { label } = await model.predict({ pixels: new Uint8Array(2304).fill(128), width: 48, height: 48 });
    return { passed: code === 'ERR_FER_OUT_OF_MEMORY' && label !== undefined, message };
  } finally {
    model.dispose();
  }
}
