import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FER_CLASSES } from '../lib/data/class-names.js';
import { syntheticFaces } from '../lib/data/synthetic.js';
import { FerError } from '../lib/errors.js';
import { MiniXception } from '../lib/model.js';
import { native } from '../lib/native.js';
import { residentData } from '../lib/network/resident.js';
import { describe as planOf } from '../lib/network/description.js';
import { WIDTHS } from '../lib/network/width.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-model-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function codeOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(FerError);
    return (error as FerError).code;
  }
  return undefined;
}

describe('MiniXception', () => {
  it("has the paper's two widths", async () => {
    using narrow = MiniXception.create();
    using wide = MiniXception.create({ width: 'wide' });
    expect([narrow.parameterCount, wide.parameterCount]).toEqual([56_951, 2_906_151]);
    expect(narrow.classes).toEqual(FER_CLASSES);
    for (const [model, width] of [
      [narrow, WIDTHS.narrow],
      [wide, WIDTHS.wide],
    ] as const) {
      const shapes = new Map([...(await model.tensors())].map(([name, { shape }]) => [name, shape]));
      const planned = planOf({ width, classes: FER_CLASSES, inputSize: 48 }).tensors;
      expect([...shapes]).toEqual(planned.map(({ name, shape }) => [name, shape]));
    }
  });

  it('predicts the same from a path, a buffer and pixels', async () => {
    using model = MiniXception.create({ seed: 3 });
    const grey = syntheticFaces().images.subarray(0, 48 * 48);
    const png = await sharp(grey, { raw: { width: 48, height: 48, channels: 1 } })
      .png()
      .toBuffer();
    const file = path.join(folder, 'face.png');
    writeFileSync(file, png);
    const results = await model.predict([
      file,
      png,
      { pixels: grey, width: 48, height: 48 },
      { pixels: Float32Array.from(grey), width: 48, height: 48 },
    ]);
    for (const result of results) expect(result).toEqual(results[0]);
    expect(await model.predict(file)).toEqual(results[0]);
    expect(Object.values(results[0].probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(results[0].probability).toBe(Math.max(...Object.values(results[0].probabilities)));
    expect(FER_CLASSES[results[0].index]).toBe(results[0].label);
    expect(await model.predict([])).toEqual([]);
  });

  it('averages the mirror image in', async () => {
    using model = MiniXception.create({ seed: 3 });
    const size = 48;
    const pixels = syntheticFaces().images.subarray(0, size * size);
    const mirrored = pixels.map((_, i) => pixels[i - (i % size) + size - 1 - (i % size)]);
    const [a, b] = await model.predict(
      [
        { pixels, width: size, height: size },
        { pixels: mirrored, width: size, height: size },
      ],
      { flip: true },
    );
    for (const name of FER_CLASSES) expect(a.probabilities[name]).toBeCloseTo(b.probabilities[name], 6);
    // Through the resident data set, flipped natively.
    const faces = syntheticFaces();
    const rows = new Map([['PrivateTest', Uint32Array.of(0)]]);
    const logits = await model.logitsOf({ ...faces, splits: rows }, 'PrivateTest', { flip: true });
    const sum = logits.reduce((total, v) => total + Math.exp(v), 0);
    expect(Math.exp(logits[0]) / sum).toBeCloseTo(a.probabilities.angry, 5);
  });

  it('does not depend on batch or threads beyond rounding', async () => {
    const faces = syntheticFaces();
    using one = MiniXception.create({ seed: 1, threads: 1 });
    using three = MiniXception.create({ seed: 1, threads: 3 });
    const a = await one.logitsOf(faces, 'PrivateTest');
    const b = await three.logitsOf(faces, 'PrivateTest');
    a.forEach((value, i) => expect(Math.abs(value - b[i])).toBeLessThan(1e-4));
  });

  it('computes in bf16 where asked to: near fp32, and not the same', async () => {
    const faces = syntheticFaces();
    using exact = MiniXception.create({ seed: 1 });
    using rounded = MiniXception.create({ seed: 1, precision: 'bf16' });
    expect([exact.precision, rounded.precision]).toEqual(['fp32', 'bf16']);
    const a = await exact.logitsOf(faces, 'PrivateTest');
    const b = await rounded.logitsOf(faces, 'PrivateTest');
    const square = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);
    const relative = Math.sqrt(square(a.map((v, i) => v - b[i])) / square(a));
    expect(relative).toBeGreaterThan(1e-5);
    expect(relative).toBeLessThan(2e-2);
    expect(() => MiniXception.create({ precision: 'tf32' })).toThrow(/expected precision fp32 or bf16 on the CPU, got tf32/);
  });

  it('refuses wrong arguments with typed errors', async () => {
    expect(codeOf(() => MiniXception.create({ inputSize: 4 }))).toBe('ERR_FER_ARGUMENT');
    expect(codeOf(() => MiniXception.create({ classes: ['one'] }))).toBe('ERR_FER_ARGUMENT');
    expect(codeOf(() => MiniXception.create({ threads: -1 }))).toBe('ERR_FER_ARGUMENT');
    expect(codeOf(() => MiniXception.create({ width: 'big' as 'wide' }))).toBe('ERR_FER_ARGUMENT');
    expect(codeOf(() => MiniXception.create({ width: { stem: [0, 8], modules: [8] } }))).toBe('ERR_FER_ARGUMENT');
    expect(codeOf(() => MiniXception.create({ device: 'cuda:99' }))).toBe('ERR_FER_DEVICE_UNAVAILABLE');
    using model = MiniXception.create();
    await expect(model.predict({ pixels: [1, 2], width: 48, height: 48 })).rejects.toMatchObject({ code: 'ERR_FER_ARGUMENT' });
    await expect(model.logitsOf(syntheticFaces(), 'Nowhere')).rejects.toThrow(
      /expected Training, PublicTest, PrivateTest, got "Nowhere", for split/,
    );
    await expect(model.evaluate({ ...syntheticFaces(), classes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
    });
  });

  it('cannot be used once disposed, and twice is fine', async () => {
    const model = MiniXception.create();
    model.dispose();
    model.dispose();
    await expect(model.tensors()).rejects.toMatchObject({ code: 'ERR_FER_DISPOSED' });
    await expect(model.predict({ pixels: new Uint8Array(2304), width: 48, height: 48 })).rejects.toMatchObject({
      code: 'ERR_FER_DISPOSED',
    });
  });

  it('keeps working when disposed during its work', async () => {
    const faces = syntheticFaces();
    using data = await residentData(faces);
    const model = MiniXception.create();
    const logits = model.native.logitsOf(data, faces.splits.get('Training')!, false);
    model.dispose();
    expect(await logits).toHaveLength(2800 * 7);
  });

  it('gives its native memory back', async () => {
    const settle = async (): Promise<number> => {
      for (let i = 0; i < 3; i++) {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return process.memoryUsage().rss;
    };
    const churn = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        using model = MiniXception.create({ width: 'wide' });
        await model.predict({ pixels: new Uint8Array(2304), width: 48, height: 48 });
      }
    };
    await churn(5);
    const before = await settle();
    await churn(25); // 12 MB of parameters each: a leak would show as 300 MB
    expect((await settle()) - before).toBeLessThan(150e6);
  });
});

describe('worker threads', () => {
  it('train in several at once, each with its own addon instance, and may be terminated at work', async () => {
    const addon = path.resolve('build/Release/fer-cudnn.node');
    const code = `
      const { parentPort } = require('node:worker_threads');
      const addon = require(${JSON.stringify(addon)});
      const model = new addon.Model({ stem: [4, 4], modules: [8], classes: 2, inputSize: 16 }, { device: 'cpu', threads: 2, precision: 'fp32' });
      const images = new Uint8Array(4000 * 256).map((_, i) => (i * 7919) % 251);
      const data = new addon.DataSet(4000, 16);
      data.append(images, new Uint8Array(4000).map((_, i) => i % 2));
      const none = { flip: 0, geometric: 0, rotation: 0, shift: 0, zoom: 0, fill: 'edge', nearest: 0, photometric: 0, brightness: 0, contrast: 0, cutout: 0, cutoutSize: 0 };
      const trainer = new addon.Trainer(model, data, { batchSize: 20, optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0, beta1: 0.9,
        beta2: 0.999, epsilon: 1e-8, clipNorm: 0, labelSmoothing: 0, distill: 0, temperature: 1, classWeights: new Float32Array(0), emaDecay: 0, seed: 1, balancedSampling: 0, rareAugmentation: 0,
        augmentation: none });
      const request = (epoch) => ({ epoch, indices: Uint32Array.from({ length: 4000 }, (_, i) => i), learningRates: new Float32Array(200).fill(0.01),
        from: { lossSum: 0, correct: 0, seen: 0, step: 0 } });
      model.initialise(1);
      trainer.open([]).then(() => trainer.trainEpoch(request(0), () => {})).then(async (totals) => {
        parentPort.postMessage(totals.lossSum);
        for (let i = 0; i < 1000; i++) model.logits(images, 4000); // to be terminated with calls pending, too
        for (let epoch = 1; ; epoch++) await trainer.trainEpoch(request(epoch), () => {});
      });`;
    const losses = await Promise.all(
      [1, 2, 3].map(async () => {
        const worker = new Worker(code, { eval: true });
        const loss = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await worker.terminate();
        return loss;
      }),
    );
    expect(losses[0]).toBeGreaterThan(0);
    expect(new Set(losses).size).toBe(1);
    expect(native().systemInfo().cores).toBeGreaterThan(0);
  });
});
