import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import type { WidthSpec } from '../../lib/network/width.js';
import { fromHalf, toHalf } from '../../lib/onnx/half.js';
import { samePads } from '../../lib/onnx/layers.js';
import type { OnnxOptions } from '../../lib/onnx/options.js';
import { decodeModel } from '../../lib/onnx/schema.js';
import { looksLikeOnnx } from '../../lib/onnx/signature.js';
import { drawnModel, drawnPixels, logitsOf } from '../interop/onnx/models.mjs';
import { run } from './runtime.js';

const WIDTH: WidthSpec = { stem: [3, 4], modules: [5, 6] };
const SIZES = [48, 33, 20];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-onnx-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const largest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

function softmax(logits: Float32Array, classes: number): Float32Array {
  return logits.map((_, i) => {
    const row = logits.subarray(i - (i % classes), i - (i % classes) + classes);
    return Math.exp(logits[i]) / row.reduce((sum, value) => sum + Math.exp(value), 0);
  });
}

describe('toOnnx', () => {
  const variants: [name: string, options: OnnxOptions, bound: number][] = [
    ['by default', {}, 1e-4],
    ['with batch norms folded', { foldBatchNorm: true }, 1e-4],
    ['with probabilities', { softmax: true }, 1e-5],
    ['from bytes', { uint8: true }, 1e-4],
    ['from bytes of three channels', { input: 'rgb', uint8: true }, 1e-4],
    ['in half precision', { fp16: true }, 0.05],
    ['by the first opset', { opset: 11 }, 1e-4],
    ['by the last opset', { opset: 23 }, 1e-4],
  ];
  it.each(variants)('gives the same logits in ONNX Runtime %s, at every size and batch', async (_, options, bound) => {
    for (const [i, inputSize] of SIZES.entries()) {
      using model = (await drawnModel(MiniXception, { width: WIDTH, inputSize }, i + 1)) as MiniXception;
      for (const count of [1, 5]) {
        const grey = drawnPixels(count, inputSize, 1, i);
        const ours = (await logitsOf(model, grey, count)) as Float32Array;
        expect(Math.max(...ours) - Math.min(...ours)).toBeGreaterThan(1); // or nothing would be compared
        const channels = options.input === 'rgb' ? 3 : 1;
        const each = inputSize ** 2;
        const pixels = Uint8Array.from({ length: grey.length * channels }, (_, at) => grey[Math.floor(at / each / channels) * each + (at % each)]); // prettier-ignore
        const bytes = await model.toOnnx({ ...options, dynamicBatch: count > 1 });
        const { name, data } = await run(bytes, pixels, [count, channels, inputSize, inputSize]);
        expect(name).toBe(options.softmax ? 'probabilities' : 'logits');
        expect(largest(data, options.softmax ? softmax(ours, 7) : ours)).toBeLessThan(bound);
      }
    }
  });

  it.each(['narrow', 'robust'] as const)('says of faces what the packaged model %s says', async (name) => {
    using model = await MiniXception.pretrained(name);
    const faces = syntheticFaces();
    const rows = faces.splits.get('PrivateTest')!.subarray(0, 64);
    const images = rows.length;
    const pixels = new Uint8Array(images * 2304);
    rows.forEach((row, i) => pixels.set(faces.images.subarray(row * 2304, (row + 1) * 2304), i * 2304));
    const ours = (await logitsOf(model, pixels, images)) as Float32Array;
    const { data } = await run(await model.toOnnx({ uint8: true, dynamicBatch: true }), pixels, [images, 1, 48, 48]);
    expect(largest(data, ours)).toBeLessThan(1e-4);
  });

  it('weighs red, green and blue as pictures are made grey', async () => {
    using model = (await drawnModel(MiniXception, { width: WIDTH, inputSize: 20 }, 1)) as MiniXception;
    const colours = [255, 0, 0].flatMap((value) => new Array<number>(400).fill(value));
    const grey = new Uint8Array(400).fill(Math.round(0.299 * 255));
    const { data } = await run(await model.toOnnx({ input: 'rgb', uint8: true }), Uint8Array.from(colours), [1, 3, 20, 20]);
    expect(largest(data, (await logitsOf(model, grey, 1)) as Float32Array)).toBeLessThan(0.05);
  });

  it('says what the model is', async () => {
    using model = await MiniXception.pretrained('narrow');
    const bytes = await model.toOnnx();
    expect(looksLikeOnnx(bytes)).toBe(true);
    const { producerName, opsetImport, metadataProps, graph } = decodeModel(bytes);
    expect({ producerName, opsetImport }).toEqual({ producerName: 'fer-cudnn', opsetImport: [{ domain: '', version: 17 }] });
    const metadata = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
    expect(JSON.parse(metadata.classes)).toEqual(model.classes);
    expect(metadata).toMatchObject({ width: 'narrow', input_size: '48', data: 'fer2013.csv.gz', version: '1' });
    expect(graph.input[0].docString).toContain('0 (black) to 255 (white)');
  });

  it.each([
    [{ opset: 10 }, 'expected a whole number from 11 to 23, got 10, for opset'],
    [{ input: 'gray' }, 'expected grey or rgb, got "gray", for input'],
    [{ softmax: 1 }, 'expected true or false, got 1, for softmax'],
    [{ batch: 4 }, 'got "batch", for an option'],
  ])('refuses %j', async (options, message) => {
    using model = MiniXception.create({ width: WIDTH });
    await expect(model.toOnnx(options as OnnxOptions)).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses half precision for weights that it cannot hold, by name', async () => {
    using model = MiniXception.create({ width: WIDTH });
    const tensors = await model.tensors();
    tensors.get('head.bias')!.data[2] = 70_000;
    await model.setTensors(tensors);
    await expect(model.toOnnx({ fp16: true })).rejects.toThrow(/70000, of tensor head\.bias at index 2, is beyond/);
    expect(await model.toOnnx()).toBeInstanceOf(Uint8Array);
  });
});

describe("TensorFlow's padding", () => {
  it.each([
    [48, 3, 2, [0, 0, 1, 1]],
    [11, 3, 2, [1, 1, 1, 1]],
    [44, 3, 1, [1, 1, 1, 1]],
    [48, 1, 2, [0, 0, 0, 0]],
    [1, 3, 2, [1, 1, 1, 1]],
  ])('of %i pixels, kernel %i, stride %i', (size, kernel, stride, pads) => expect(samePads(size, kernel, stride)).toEqual(pads));
});

describe('half precision', () => {
  it('has a number for each of its 65,536 values, and finds each again', () => {
    for (let half = 0; half < 65_536; half++) {
      const value = fromHalf(half);
      if (Number.isNaN(value)) expect(toHalf(value) & 0x7fff).toBeGreaterThan(0x7c00);
      else expect(toHalf(value)).toBe(half);
    }
  });
  it('takes the nearest, ties to even', () => {
    for (let half = 0; half < 0x7bff; half++) {
      const [low, high] = [fromHalf(half), fromHalf(half + 1)];
      const middle = (low + high) / 2;
      expect(toHalf(middle)).toBe(half % 2 === 0 ? half : half + 1);
      expect(toHalf(low + (high - low) * 0.499)).toBe(half);
      expect(toHalf(low + (high - low) * 0.501)).toBe(half + 1);
    }
    expect([65504, 65519, 65520, 1e-9].map(toHalf)).toEqual([0x7bff, 0x7bff, 0x7c00, 0]);
  });
});
