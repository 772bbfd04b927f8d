import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FER_CLASSES } from '../../lib/data/class-names.js';
import { MiniXception } from '../../lib/model.js';
import { encodeSafetensors, type Tensor } from '../../lib/network/safetensors.js';

let folder: string;
let tensors: Map<string, Tensor>;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-state-dict-'));
  using model = MiniXception.create({ width: { stem: [3, 4], modules: [5, 6] }, seed: 3 });
  tensors = await model.tensors();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file as safetensors.torch.save_file writes it: with PyTorch's names, a prefix of what wraps the module, and its counters. */
function saved(
  of: ReadonlyMap<string, Tensor>,
  { prefix = '', counters = true, metadata = { format: 'pt' } as Record<string, string> } = {},
): string {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (name: string, dtype: string, shape: number[], bytes: Uint8Array): void => {
    header[prefix + name] = { dtype, shape, data_offsets: [at, (at += bytes.length)] };
    parts.push(bytes);
  };
  for (const [name, { shape, data }] of of) {
    put(name, 'F32', shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (counters && name.endsWith('running_var')) put(name.replace('running_var', 'num_batches_tracked'), 'I64', [], new Uint8Array(8));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = path.join(folder, 'state.safetensors');
  writeFileSync(file, Buffer.concat([length, json, ...parts]));
  return file;
}

describe("PyTorch's state dict", () => {
  it.each(['', 'module.', '_orig_mod.', 'net.'])('is read by name, behind the prefix %j', async (prefix) => {
    using model = await MiniXception.load(saved(tensors, { prefix }));
    expect(model.width).toEqual({ stem: [3, 4], modules: [5, 6] });
    expect(model.classes).toEqual(FER_CLASSES);
    expect(model.metadata.source).toContain('imported from a PyTorch state dict');
    expect([...(await model.tensors())]).toEqual([...tensors]);
  });

  it('keeps what this package had said beside the weights', async () => {
    using small = MiniXception.create({
      width: { stem: [3, 4], modules: [5, 6] },
      classes: FER_CLASSES.map((name) => `${name}!`),
      inputSize: 20,
    });
    const file = path.join(folder, 'ours.safetensors');
    await small.save(file);
    const network = JSON.stringify({ width: small.width, classes: small.classes, inputSize: 20, normalization: 'x/127.5-1' });
    using model = await MiniXception.load(saved(tensors, { metadata: { format: 'fer-cudnn/mini-xception', version: '1', network } }));
    expect([model.inputSize, model.classes]).toEqual([20, small.classes]);
  });

  const without = (name: string): Map<string, Tensor> => new Map([...tensors].filter(([key]) => key !== name));
  it.each<[string, () => Map<string, Tensor>, string]>([
    ['without a tensor', () => without('modules.1.bn2.weight'), 'tensor modules.1.bn2.weight is missing'],
    ['without a head', () => without('head.bias'), 'it has no tensor head.bias'],
    [
      'of a network with more layers',
      () => new Map([...tensors, ['attention.weight', { shape: [1], data: new Float32Array(1) }]]),
      'it has a tensor attention.weight, which the network has no layer for',
    ],
    [
      'of another kernel',
      () => new Map([...tensors, ['stem.conv1.weight', { shape: [3, 1, 5, 5], data: new Float32Array(75) }]]),
      'expected shape [3, 1, 3, 3], got [3, 1, 5, 5], for tensor stem.conv1.weight',
    ],
  ])('%s is refused by name', async (_, of, message) => {
    await expect(MiniXception.load(saved(of()))).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining(message) as string,
    });
  });

  it('of another network is no model', async () => {
    const file = path.join(folder, 'other.safetensors');
    writeFileSync(file, Buffer.concat(encodeSafetensors(new Map([['conv1.weight', { shape: [1], data: new Float32Array(1) }]]), {})));
    await expect(MiniXception.load(file)).rejects.toThrow(/was not written by fer-cudnn/);
  });
});
