import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import { readModelFile, writeModelFile } from '../../lib/network/model-file.js';
import { decodeSafetensors, encodeSafetensors } from '../../lib/network/safetensors.js';
import { atOnce } from '../../lib/slices.js';
import type { WidthSpec } from '../../lib/network/width.js';

const WIDTH: WidthSpec = { stem: [3, 4], modules: [5, 6] };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-weights-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('safetensors', () => {
  const join = (parts: Uint8Array[]): Buffer => Buffer.concat(parts);
  const good = (): Buffer => join(encodeSafetensors(new Map([['a', { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 0) }]]), { k: 'v' }));

  it('survives a round trip', () => {
    const { tensors, metadata } = atOnce(decodeSafetensors(good(), 'x'));
    expect(metadata).toEqual({ k: 'v' });
    expect(tensors.get('a')).toEqual({ shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 0) });
  });

  const withHeader = (header: string, data = 16): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
  };
  it.each([
    ['three bytes', Buffer.alloc(3), /it has 3 bytes/],
    ['a header longer than the file', Buffer.from('ffffffffffffff7f7b7d', 'hex'), /its header says/],
    ['no JSON', withHeader('{"a":'), /its header is not JSON/],
    ['an array', withHeader('[]'), /not an object/],
    ['another type', withHeader('{"a":{"dtype":"I8","shape":[8],"data_offsets":[0,8]}}', 8), /type I8; expected F32, F64, F16, BF16/],
    ['no type', withHeader('{"a":{"dtype":"toString","shape":[8],"data_offsets":[0,8]}}', 8), /type toString; expected F32/],
    ['no offsets', withHeader('{"a":{"dtype":"F32","shape":[4]}}'), /no proper shape and offsets/],
    ['negative offsets', withHeader('{"a":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}'), /no proper shape and offsets/],
    ['a wrong span', withHeader('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}}'), /needs 16 bytes, its offsets span 12/],
    ['a tensor beyond the end', withHeader('{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}'), /ends beyond the file/],
    [
      'an overlap',
      withHeader('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'),
      /gap or overlap/,
    ],
    ['bytes of no tensor', withHeader('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'), /8 bytes at its end belong to no tensor/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => atOnce(decodeSafetensors(bytes, 'x'))).toThrow(message);
    expect(() => atOnce(decodeSafetensors(bytes, 'x'))).toThrow(expect.objectContaining({ code: 'ERR_FER_MODEL_FORMAT' }) as Error);
  });
});

describe('model files', () => {
  it('keep every tensor and all metadata', async () => {
    using model = MiniXception.create({ width: WIDTH, classes: ['a', 'b', 'c'], inputSize: 20, seed: 2 });
    model.metadata.training = { note: 'x' };
    const file = path.join(folder, 'model.safetensors');
    await model.save(file);
    using loaded = await MiniXception.load(file);
    expect(loaded.metadata).toEqual(
      expect.objectContaining({ width: WIDTH, classes: ['a', 'b', 'c'], inputSize: 20, training: { note: 'x' } }) as object,
    );
    expect([...(await loaded.tensors())]).toEqual([...(await model.tensors())]);
  });

  it('say which tensor is missing or has another shape', async () => {
    using model = MiniXception.create({ width: WIDTH });
    const file = path.join(folder, 'bad.safetensors');
    const tensors = await model.tensors();
    tensors.delete('head.bias');
    await writeModelFile(file, { metadata: model.metadata, tensors });
    await expect(readModelFile(file)).rejects.toThrow(/tensor head\.bias is missing/);
    tensors.set('head.bias', { shape: [8], data: new Float32Array(8) });
    await writeModelFile(file, { metadata: model.metadata, tensors });
    await expect(readModelFile(file)).rejects.toThrow(/expected shape \[7\], got \[8\], for tensor head\.bias/);
  });

  it('say that no network has the form they describe', async () => {
    using model = MiniXception.create({ width: WIDTH });
    const file = path.join(folder, 'huge.safetensors');
    await writeModelFile(file, { metadata: { ...model.metadata, inputSize: 100_000 }, tensors: await model.tensors() });
    await expect(readModelFile(file)).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining('huge.safetensors describes no network') as string,
    });
  });

  /** A model's file whose metadata says something else. */
  async function withMetadata(change: (metadata: Record<string, string>) => void): Promise<string> {
    using model = MiniXception.create({ width: WIDTH, seed: 2 });
    const file = path.join(folder, 'changed.safetensors');
    await model.save(file);
    const { tensors, metadata } = atOnce(decodeSafetensors(readFileSync(file), file));
    change(metadata);
    writeFileSync(file, Buffer.concat(encodeSafetensors(tensors, metadata)));
    return file;
  }
  const network = (change: object) => (metadata: Record<string, string>) =>
    void (metadata.network = JSON.stringify({ ...(JSON.parse(metadata.network) as object), ...change }));

  it.each([
    ['no JSON', (metadata: Record<string, string>) => void (metadata.network = '{'), 'network: expected JSON, got "{"'],
    ['nothing', (metadata: Record<string, string>) => void delete metadata.network, 'network: expected JSON, got nothing'],
    ['null', (metadata: Record<string, string>) => void (metadata.network = 'null'), 'network: expected an object, got null'],
    ['a list as training', (metadata: Record<string, string>) => void (metadata.training = '[1]'), 'training: expected an object, got [1]'],
    ['no width', network({ width: null }), 'network.width: expected channels of the stem and the modules, got null'],
    ['classes that are no names', network({ classes: [1, 2] }), 'network.classes: expected a list of different names, got [1,2]'],
    ['a class twice', network({ classes: ['a', 'a'] }), 'network.classes: expected a list of different names, got ["a","a"]'],
    ['half a pixel', network({ inputSize: 47.5 }), 'network.inputSize: expected a whole number, got 47.5'],
    ['another normalization', network({ normalization: 'x/255' }), 'network.normalization: expected "x/127.5-1"'],
  ])('whose metadata say %s are refused, with the place', async (_, change, message) => {
    const file = await withMetadata(change);
    await expect(readModelFile(file)).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining(`in its metadata, ${message}`) as string,
    });
  });

  it('decide nothing of where and how they run', async () => {
    const file = await withMetadata(network({ device: 'cuda:7', threads: 3, precision: 'bf16', seed: -1 }));
    using model = await MiniXception.load(file, { device: 'cpu', threads: 1 });
    expect(model).toMatchObject({ device: 'cpu', precision: 'fp32' });
    expect(model.native.threads).toBe(1);
    expect(model.metadata).toEqual({
      width: WIDTH,
      classes: [...model.classes],
      inputSize: 48,
      normalization: 'x/127.5-1',
      training: undefined,
      source: undefined,
    });
  });

  it('may have classes named as what every object has', async () => {
    const classes = ['constructor', 'toString', '__proto__'];
    using model = MiniXception.create({ width: WIDTH, classes, inputSize: 16 });
    const file = path.join(folder, 'names.safetensors');
    await model.save(file);
    using loaded = await MiniXception.load(file);
    const { label, probability, probabilities } = await loaded.predict({ pixels: new Uint8Array(256), width: 16, height: 16 });
    expect(Object.keys(probabilities)).toEqual(classes);
    expect(Object.entries(probabilities).find(([name]) => name === label)![1]).toBe(probability);
  });

  it.each([NaN, Infinity, -Infinity])('with the weight %d are neither read nor written', async (value) => {
    using model = MiniXception.create({ width: WIDTH, seed: 2 });
    const file = path.join(folder, 'not-finite.safetensors');
    await model.save(file);
    const before = readFileSync(file);
    const tensors = await model.tensors();
    tensors.get('modules.1.bn2.bias')!.data[3] = value;
    const message = `expected finite weights, got ${value}, for tensor modules.1.bn2.bias at index 3`;
    const refusal = (words: string) => ({ code: 'ERR_FER_MODEL_FORMAT', message: expect.stringContaining(words) as string });
    await expect(writeModelFile(file, { metadata: model.metadata, tensors })).rejects.toMatchObject(refusal(`was not written: ${message}`));
    expect(readFileSync(file)).toEqual(before);
    const { metadata } = atOnce(decodeSafetensors(before, file));
    writeFileSync(file, Buffer.concat(encodeSafetensors(tensors, metadata)));
    await expect(MiniXception.load(file)).rejects.toMatchObject(refusal(`not-finite.safetensors: ${message}`));
  });

  it('refuse foreign and absent files', async () => {
    const file = path.join(folder, 'foreign.safetensors');
    writeFileSync(file, Buffer.concat(encodeSafetensors(new Map(), {})));
    await expect(readModelFile(file)).rejects.toThrow(/was not written by fer-cudnn/);
    await expect(readModelFile(path.join(folder, 'absent'))).rejects.toMatchObject({ code: 'ERR_FER_DATA_NOT_FOUND' });
    writeFileSync(file, readFileSync(import.meta.filename));
    await expect(readModelFile(file)).rejects.toMatchObject({ code: 'ERR_FER_MODEL_FORMAT' });
  });
});
