// Two hundred training steps from the same weights over the same batches: on the device, on the CPU, in PyTorch; then whether the
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

const BATCH = 40;
const RATE = 0.01;
const WIDTHS = ['narrow', 'wide'];
// Rounding grows along a training run, so parity is asked of the first steps and, more loosely, of the mean over all of them.
const EARLY = 10;
const BOUNDS = { fp32: { early: 0.01, mean: 0.02 }, tf32: { early: 0.03, mean: 0.05 }, bf16: { early: 0.08, mean: 0.08 } };

/** Trains step by step from step `from` to `to`; the loss of each step, and the tensors at the end. */
async function train(model, trainer, rowsOf, from, to) {
  const losses = [];
  for (let step = from; step < to; step++) {
    const totals = await epochOf(trainer, step, rowsOf(step), BATCH, RATE);
    losses.push(totals.lossSum / BATCH);
  }
  return { losses, tensors: await model.native.tensors() };
}

/** Begins anew with `weights` on a device and hands model and trainer to `work`. */
async function withModel(width, device, weights, resident, work) {
  const model = MiniXception.create({ width, ...device });
  await model.native.setTensors(weights);
  const trainer = await paperTrainer(model, resident, BATCH);
  try {
    return await work(model, trainer);
  } finally {
    trainer.dispose();
    model.dispose();
  }
}

const identical = (a, b) => a.every(({ data }, i) => Buffer.compare(new Uint8Array(data.buffer), new Uint8Array(b[i].data.buffer)) === 0);

function difference(losses, reference) {
  const apart = losses.map((loss, i) => Math.abs(loss - reference[i]));
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  return { early: Math.max(...apart.slice(0, EARLY)), mean: Math.abs(mean(losses) - mean(reference)), largest: Math.max(...apart) };
}

/** The same steps by PyTorch in float32, or undefined where there is none. */
function pytorch(context, width, weights, images, labels, count) {
  if (context.python === 'none') return undefined;
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
      [script, folder, '--width', width, '--batch', String(BATCH), '--rate', String(RATE), '--steps', String(count), '--device', device],
      { encoding: 'utf8' },
    );
    if (run.status !== 0) {
      console.log(`PyTorch left out: ${(run.stderr || run.error?.message || '').trim().split('\n').at(-1)}`);
      return undefined;
    }
    return JSON.parse(run.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function steps(context) {
  const data = await loadDataSet(context.data);
  const training = data.splits.get('Training');
  const count = context.quick ? 30 : 200;
  // A fixed walk through the split that visits the classes mixed: 7919 is prime.
  const walk = Uint32Array.from({ length: count * BATCH }, (_, i) => training[(i * 7919) % training.length]);
  const rowsOf = (step) => walk.subarray(step * BATCH, (step + 1) * BATCH);
  const pixels = data.size * data.size;
  const images = Buffer.concat([...walk].map((row) => data.images.subarray(row * pixels, (row + 1) * pixels)));
  const labels = Uint8Array.from(walk, (row) => data.labels[row]);
  const resident = await residentData(data);
  const results = {};
  let passed = true;
  const check = (name, good, figures) => {
    results[name] = { passed: good, ...figures };
    passed &&= good;
    console.log(
      `${good ? 'ok    ' : 'FAILED'} ${name}${figures ? ` ${JSON.stringify(figures, (_, v) => (typeof v === 'number' ? Number(v.toPrecision(3)) : Array.isArray(v) ? undefined : v))}` : ''}`,
    );
  };
  try {
    for (const width of context.quick ? ['narrow'] : WIDTHS) {
      const start = MiniXception.create({ width, seed: 1 });
      const weights = await start.native.tensors();
      start.dispose();
      const cpu = await withModel(width, { device: 'cpu' }, weights, resident, (model, trainer) => train(model, trainer, rowsOf, 0, count));
      const torch = pytorch(context, width, weights, images, labels, count);
      if (torch)
        check(`${width}: CPU beside PyTorch ${torch.version}`, within(difference(cpu.losses, torch.losses), BOUNDS.fp32), {
          ...difference(cpu.losses, torch.losses),
          losses: torch.losses,
        });
      for (const precision of context.device === 'cpu' ? ['fp32'] : ['fp32', 'tf32', 'bf16']) {
        const device = { device: context.device, precision };
        const run = (from, to, state) =>
          withModel(width, device, weights, resident, async (model, trainer) => {
            if (state) {
              await model.native.setTensors(state.tensors);
              await trainer.setState(state.optimiser, from);
            }
            const result = await train(model, trainer, rowsOf, from, to);
            return { ...result, optimiser: await trainer.state() };
          });
        const once = await run(0, count);
        check(`${width}, ${precision}: device beside CPU`, within(difference(once.losses, cpu.losses), BOUNDS[precision]), {
          ...difference(once.losses, cpu.losses),
          losses: once.losses,
        });
        const again = await run(0, count);
        check(`${width}, ${precision}: the same bits twice`, identical(once.tensors, again.tensors));
        const half = await run(0, count / 2);
        const rest = await run(count / 2, count, half);
        check(`${width}, ${precision}: the same bits after going on from a saved state`, identical(once.tensors, rest.tensors));
      }
    }
    check('memory that runs out is a typed error, and the model lives on', ...(await outOfMemory(context, resident)));
  } finally {
    resident.dispose();
  }
  return { passed, steps: count, batch: BATCH, data: data.source.split('/').at(-1), results };
}

const within = (figures, bounds) => figures.early <= bounds.early && figures.mean <= bounds.mean;

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
    return [code === 'ERR_FER_OUT_OF_MEMORY' && label !== undefined, { message }];
  } finally {
    model.dispose();
  }
}
