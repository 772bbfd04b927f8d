import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import type { WidthSpec } from '../../lib/network/width.js';
import type { OnnxOptions } from '../../lib/onnx/options.js';
import { decodeModel, encodeModel, type OnnxModel } from '../../lib/onnx/schema.js';
import { drawnModel, drawnPixels } from '../interop/onnx/models.mjs';

const WIDTH: WidthSpec = { stem: [3, 4], modules: [5, 6] };
let folder: string;
let model: MiniXception;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-onnx-'));
  model = (await drawnModel(MiniXception, { width: WIDTH, inputSize: 20, classes: ['yes', 'no', 'perhaps'] }, 4)) as MiniXception;
  model.metadata.training = { data: 'some.csv', config: { epochs: 3 } };
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function file(bytes: Uint8Array): string {
  const at = path.join(folder, 'model.bin'); // contents decide, not names
  writeFileSync(at, bytes);
  return at;
}

describe('an exported ONNX file', () => {
  it.each<OnnxOptions>([{}, { softmax: true, uint8: true, input: 'rgb', dynamicBatch: true, opset: 21 }])(
    'read back has every weight and all metadata: %j',
    async (options) => {
      using back = await MiniXception.load(file(await model.toOnnx(options)));
      expect(back.metadata).toEqual(model.metadata);
      expect([...(await back.tensors())]).toEqual([...(await model.tensors())]);
    },
  );

  it.each<[OnnxOptions, number]>([
    [{ foldBatchNorm: true }, 1e-5],
    [{ fp16: true }, 0.02],
    [{ fp16: true, foldBatchNorm: true }, 0.02],
  ])('read back gives the same logits but for its rounding: %j', async (options, bound) => {
    using back = await MiniXception.load(file(await model.toOnnx(options)));
    const pixels = drawnPixels(3, 20, 1, 1);
    const [ours, theirs] = await Promise.all([model, back].map((each) => each.native.logits(pixels, 3)));
    expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])))).toBeLessThan(bound);
  });

  const cases: [name: string, change: (model: OnnxModel) => void, message: string][] = [
    ['of another program', (m) => void (m.producerName = 'pytorch'), 'is an ONNX model of "pytorch", not one that fer-cudnn exported'],
    ['with another pooling', (m) => void (m.graph.node.find(({ opType }) => opType === 'MaxPool')!.attribute[2].ints = [1, 1, 0, 0]), 'is not the MaxPool'], // prettier-ignore
    ['with another epsilon', (m) => void (m.graph.node.find(({ opType }) => opType === 'BatchNormalization')!.attribute[0].f = 1e-5), 'its node 4, BatchNormalization'], // prettier-ignore
    ['with a node more', (m) => void m.graph.node.push({ ...m.graph.node[0] }), 'it has 1 nodes more than were exported'],
    ['without a node', (m) => void m.graph.node.pop(), 'missing, is not the Flatten'],
    ['that normalises otherwise', (m) => void (m.graph.initializer[0].rawData = new Uint8Array(4)), 'its input.scale is not'],
    ['without a tensor', (m) => void m.graph.initializer.pop(), 'tensor head.bias is missing'],
    ['with half a tensor', (m) => void (m.graph.initializer.at(-1)!.rawData = new Uint8Array(5)), 'needs 12 bytes, the file has 5 of it'],
    ['of integers', (m) => void (m.graph.initializer.at(-1)!.dataType = 3), 'has elements of type 3'],
    ['for more classes', (m) => void Object.assign(m.graph.initializer.at(-1)!, { dims: [4], rawData: new Uint8Array(16) }), 'expected shape [3], got [4]'], // prettier-ignore
    [
      'of an unknown option',
      (m) => void (m.metadataProps.find(({ key }) => key === 'export')!.value = '{"x":1}'),
      'what is no set of options',
    ],
    ['of no network', (m) => void (m.metadataProps.find(({ key }) => key === 'network')!.value = '[]'), 'network: expected an object'],
  ];
  it.each(cases)('%s is refused', async (_, change, message) => {
    const changed = decodeModel(await model.toOnnx());
    change(changed);
    await expect(MiniXception.load(file(encodeModel(changed)))).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining(message) as string,
    });
  });

  it('cut short anywhere is refused', async () => {
    const bytes = await model.toOnnx();
    for (let length = 4; length < bytes.length; length += 997)
      await expect(MiniXception.load(file(bytes.subarray(0, length)))).rejects.toMatchObject({ code: 'ERR_FER_MODEL_FORMAT' });
  });
});
