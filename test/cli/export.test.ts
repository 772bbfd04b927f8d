import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import { ferIn, type Ended } from '../command.js';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-export-'));
  model = path.join(folder, 'small.safetensors');
  using small = MiniXception.create({ width: { stem: [3, 4], modules: [5, 6] }, inputSize: 20, classes: ['yes', 'no'], seed: 1 });
  await small.save(model);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fer = (...args: string[]): Ended => ferIn(folder, args);

describe('export', () => {
  it('writes what toOnnx gives, and says what goes in and comes out', async () => {
    const flags = ['--opset', '18', '--fold-batch-norm', '--softmax', '--input', 'rgb', '--uint8', '--dynamic-batch', '--fp16'];
    const { status, stdout } = fer('export', model, '-o', 'all.onnx', ...flags);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^all\.onnx: ONNX, opset 18, [\d,]+ bytes; pixel_values \[batch, 3, 20, 20\] uint8, 0\.\.255 -> probabilities \[batch, 2\]\n$/,
    );
    using small = await MiniXception.load(model);
    const options = { opset: 18, foldBatchNorm: true, softmax: true, uint8: true, dynamicBatch: true, fp16: true } as const;
    const bytes = await small.toOnnx({ ...options, input: 'rgb' });
    expect(readFileSync(path.join(folder, 'all.onnx')).equals(bytes)).toBe(true);
  });

  it('does not overwrite a file without --force', () => {
    writeFileSync(path.join(folder, 'there.onnx'), 'mine');
    expect(fer('export', model, '-o', 'there.onnx')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--force overwrites it') as string,
    });
    expect(readFileSync(path.join(folder, 'there.onnx'), 'utf8')).toBe('mine');
    expect(fer('export', model, '-o', 'there.onnx', '--force').status).toBe(0);
  });

  it.each([
    [['-o', 'model.pb'], 'expected a name ending in .onnx, got "model.pb", for --out'],
    [[], "required option '-o, --out <path>' not specified"],
    [['-o', 'x.onnx', '--opset', '7'], 'expected a whole number from 11 to 23, got "7", for --opset'],
    [['-o', 'x.onnx', '--input', 'bgr'], 'Allowed choices are grey, rgb'],
  ])('refuses %j', (flags, message) => {
    expect(fer('export', model, ...flags)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) as string });
  });
});
