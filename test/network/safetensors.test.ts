import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FerError } from '../../lib/errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../lib/network/safetensors.js';
import { atOnce } from '../../lib/slices.js';

/** A file with any header, sound or not, and `dataBytes` bytes of tensors behind it. */
function fileOf(header: unknown, dataBytes = 0, declaredLength?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(declaredLength ?? BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

/** The reason the decoder gives; anything but a typed error fails the test. */
function reasonOf(bytes: Uint8Array): string {
  try {
    atOnce(decodeSafetensors(bytes, 'net.safetensors'));
  } catch (error) {
    expect(error).toBeInstanceOf(FerError);
    expect((error as FerError).code).toBe('ERR_FER_MODEL_FORMAT');
    expect((error as FerError).message).toContain('net.safetensors');
    expect((error as FerError).details.file).toBe('net.safetensors');
    return String((error as FerError).details.reason);
  }
  return 'none: it was accepted';
}

const tensor = (shape: number[], begin: number, end: number, dtype = 'F32'): object => ({ dtype, shape, data_offsets: [begin, end] });

describe('decodeSafetensors', () => {
  it('reads a file by the safetensors library of Python', () => {
    const bytes = readFileSync(new URL('../fixtures/weights/python.safetensors', import.meta.url));
    const { tensors, metadata } = atOnce(decodeSafetensors(bytes, 'python.safetensors'));
    expect(metadata).toEqual({ made_by: 'scripts/fixtures/safetensors_file.py', note: 'Grüße' });
    expect(tensors.get('matrix')).toEqual({ shape: [2, 3], data: Float32Array.of(0, 1.5, -2, 3.25, 1e-45, -3.4028234663852886e38) });
    expect(tensors.get('scalar')).toEqual({ shape: [], data: Float32Array.of(7) });
    expect(tensors.get('empty')).toEqual({ shape: [0, 4], data: new Float32Array(0) });
    expect(tensors.size).toBe(3);
  });

  it('gives back what was encoded, bit for bit', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    const anyTensor = shape.chain((dims) => {
      const count = dims.reduce((a, b) => a * b, 1);
      return fc
        .array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: count, maxLength: count })
        .map((bits): Tensor => ({ shape: dims, data: new Float32Array(Uint32Array.from(bits).buffer) }));
    });
    const name = fc.string({ maxLength: 12 }).filter((s) => !['__metadata__', '__proto__'].includes(s));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, anyTensor), { maxLength: 5 }), fc.string(), (entries, note) => {
        const tensors = new Map(entries);
        const bytes = Buffer.concat(encodeSafetensors(tensors, { note }));
        expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
        const back = atOnce(decodeSafetensors(bytes, 'a file'));
        expect(back.metadata).toEqual({ note });
        expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()));
        for (const [key, { shape: dims, data }] of tensors) {
          expect(back.tensors.get(key)?.shape).toEqual(dims);
          // Bits, so that NaN payloads and -0 count too.
          expect(new Uint32Array(back.tensors.get(key)!.data.buffer)).toEqual(new Uint32Array(data.buffer, data.byteOffset, data.length));
        }
      }),
    );
  });

  it('reads from a view at an odd offset of a larger buffer', () => {
    const bytes = Buffer.concat([
      Buffer.alloc(3, 255),
      ...encodeSafetensors(new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]), {}),
    ]);
    expect(atOnce(decodeSafetensors(bytes.subarray(3), 'view')).tensors.get('a')?.data).toEqual(Float32Array.of(1, 2));
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /it has 0 bytes/],
    ['half a length', new Uint8Array(7), /it has 7 bytes/],
    ['a header longer than the file', fileOf('{}', 0, 3n), /header says 3 bytes, but the file has 10/],
    ['a header length of 2^64 - 1', fileOf('{}', 0, 0xffffffffffffffffn), /header says/],
    ['an empty header', fileOf(''), /not JSON/],
    ['text for a header', fileOf('hello world'), /not JSON/],
    ['an array for a header', fileOf('[]'), /not an object/],
    ['null for a header', fileOf('null'), /not an object/],
    ['a number for a tensor', fileOf({ a: 5 }), /tensor a has type undefined/],
    ['null for a tensor', fileOf({ a: null }), /tensor a has type undefined/],
    ['null for the metadata', fileOf({ __metadata__: null }), /metadata/],
    ['text for the metadata', fileOf({ __metadata__: 'abc' }), /metadata/],
    ['a type that is no float', fileOf({ a: tensor([4], 0, 4, 'U8') }, 4), /type U8; expected F32, F64, F16, BF16/],
    ['a missing shape', fileOf({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /no proper shape/],
    ['a negative dimension', fileOf({ a: tensor([-1, -1], 0, 4) }, 4), /no proper shape/],
    ['a fractional dimension', fileOf({ a: tensor([0.5, 2], 0, 4) }, 4), /no proper shape/],
    ['a shape that is not a list', fileOf({ a: { dtype: 'F32', shape: '1', data_offsets: [0, 4] } }, 4), /no proper shape/],
    ['a product of dimensions past 2^53', fileOf({ a: tensor([2 ** 40, 2 ** 40], 0, 4) }, 4), /needs .* bytes, its offsets span 4/],
    ['three offsets', fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 8), /no proper shape and offsets/],
    ['negative offsets', fileOf({ a: tensor([1], -4, 0) }, 4), /no proper shape and offsets/],
    ['reversed offsets', fileOf({ a: tensor([1], 4, 0) }, 4), /its offsets span -4/],
    ['offsets that do not fit the shape', fileOf({ a: tensor([3], 0, 8) }, 8), /shape \[3\] needs 12 bytes, its offsets span 8/],
    ['a tensor beyond the end', fileOf({ a: tensor([2], 0, 8) }, 4), /tensor a ends beyond the file/],
    ['overlapping tensors', fileOf({ a: tensor([2], 0, 8), b: tensor([2], 4, 12) }, 12), /gap or overlap at byte 8/],
    ['two tensors in one place', fileOf({ a: tensor([1], 0, 4), b: tensor([1], 0, 4) }, 4), /gap or overlap at byte 4/],
    ['a gap between tensors', fileOf({ a: tensor([1], 0, 4), b: tensor([1], 8, 12) }, 12), /gap or overlap at byte 4/],
    ['a gap before the first', fileOf({ a: tensor([1], 4, 8) }, 8), /gap or overlap at byte 0/],
    ['bytes behind the last', fileOf({ a: tensor([1], 0, 4) }, 7), /3 bytes at its end belong to no tensor/],
    [
      'a name given twice',
      fileOf(`{"a":${JSON.stringify(tensor([1], 0, 4))},"a":${JSON.stringify(tensor([1], 4, 8))}}`, 8),
      /gap or overlap/,
    ],
  ])('refuses %s', (_, bytes, reason) => {
    expect(reasonOf(bytes)).toMatch(reason);
  });

  it('refuses every truncation of a sound file', () => {
    const bytes = Buffer.concat(encodeSafetensors(new Map([['a', { shape: [3], data: Float32Array.of(1, 2, 3) }]]), { k: 'v' }));
    for (let length = 0; length < bytes.length; length++) expect(reasonOf(bytes.subarray(0, length))).not.toMatch(/^none/);
  });

  it('throws only typed errors, whatever byte is changed', () => {
    const sound = Buffer.concat(encodeSafetensors(new Map([['a', { shape: [1, 2], data: Float32Array.of(1, 2) }]]), { k: 'v' }));
    let refused = 0;
    for (let at = 0; at < sound.length; at++)
      for (const value of [0, 0x22, 0x2d, 0x39, 0x5b, 0x7b, 0xff]) {
        const bytes = Buffer.from(sound);
        bytes[at] = value;
        if (!reasonOf(bytes).startsWith('none')) refused++;
      }
    expect(refused).toBeGreaterThan(100);
  });
});
