// What is measured, and how: one training step, one inference. Needs: npm run build.
import { MiniXception, resolveConfig } from '../dist/index.js';
import { residentData } from '../dist/network/resident.js';
import { NO_TOTALS, openTrainer } from '../dist/training/trainer.js';

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const SIDE = 48;

/** Images of noise, [count, 48, 48], and labels 0 to 6 in turn. */
function noise(count) {
  const images = new Uint8Array(count * SIDE * SIDE).map((_, i) => Math.imul(i, 2654435761) >>> 24);
  return residentData({ images, labels: new Uint8Array(count).map((_, i) => i % 7), size: SIDE });
}

/** A trainer as preset `paper` has it (SGD with momentum, no augmentation), over `data` with `batch` images a step. */
export const paperTrainer = (model, data, batch, options = {}) =>
  openTrainer(model, data, resolveConfig({ preset: 'paper', batchSize: batch, ...options }));

/** One epoch over `rows` at a learning rate of `rate`. */
export const epochOf = (trainer, epoch, rows, batch, rate) =>
  trainer.trainEpoch(
    { epoch, indices: rows, learningRates: new Float32Array(Math.ceil(rows.length / batch)).fill(rate), from: NO_TOTALS },
    () => {},
  );

/**
 * Milliseconds a training step of `batch` images, median and fastest of `chunks` calls of `steps` steps each, after one more.
 * `device`: MiniXception.create's options.
 */
export async function trainingStep(device, width, batch, { chunks, steps }) {
  const data = await noise(batch * steps);
  const model = MiniXception.create({ width, ...device });
  const trainer = await paperTrainer(model, data, batch);
  try {
    const rows = Uint32Array.from({ length: steps * batch }, (_, i) => i);
    const times = [];
    for (let chunk = 0; chunk <= chunks; chunk++) {
      const started = performance.now();
      await epochOf(trainer, chunk, rows, batch, 0.01);
      if (chunk > 0) times.push((performance.now() - started) / steps);
    }
    // Forward, and backward to inputs and to weights: three times two operations a multiply-add.
    return { milliseconds: median(times), fastest: Math.min(...times), flops: 6 * model.multiplyAdds * batch };
  } finally {
    trainer.dispose();
    data.dispose();
    model.dispose();
  }
}

/** Milliseconds an image, through the promise a user awaits: median and fastest over `seconds`. */
export async function inference(device, width, batch, seconds) {
  const model = MiniXception.create({ width, ...device });
  const images = new Uint8Array(batch * SIDE * SIDE).map((_, i) => (i * 31) & 255);
  const once = async () => void (await model.native.logits(images, batch));
  try {
    for (let i = 0, end = performance.now() + 500; i < 20 && (i < 3 || performance.now() < end); i++) await once();
    const times = [];
    for (const end = performance.now() + seconds * 1000; performance.now() < end || times.length < 3; ) {
      const started = performance.now();
      await once();
      times.push(performance.now() - started);
    }
    return { milliseconds: median(times) / batch, fastest: Math.min(...times) / batch, flops: 2 * model.multiplyAdds };
  } finally {
    model.dispose();
  }
}
