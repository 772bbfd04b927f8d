/**
 * The safetensors format: an 8-byte length, a JSON header, then the tensors' bytes, little-endian. Float32 is written; of what PyTorch saves,
 * other floats are read as float32.
 */
import { FerError } from '../errors.js';
import { floatsOf as floatsOfHalves } from '../onnx/half.js';

/** An array of float32 in row-major order. */
export interface Tensor {
  /** Extent of each dimension, as PyTorch has them: a convolution's weight is [out, in, height, width]. */
  shape: number[];
  /** As many values as the product of `shape`. */
  data: Float32Array;
}

/** Values that a check takes a fraction of a millisecond for. */
const PIECE = 1 << 17;

/** The first value that is no finite number, if any; training that diverged, or a damaged file, leaves such. */
export function* notFinite(
  tensors: ReadonlyMap<string, Tensor>,
): Generator<void, { name: string; index: number; value: number } | undefined> {
  // Plain loops: a call a value would take a tenth of a second for a wide network.
  for (const [name, { data }] of tensors)
    for (let piece = 0; piece < data.length; piece += PIECE) {
      for (let index = piece, end = Math.min(piece + PIECE, data.length); index < end; index++)
        if (!Number.isFinite(data[index])) return { name, index, value: data[index] };
      yield;
    }
  return undefined;
}

const HEADER_LIMIT = 100_000_000;

/** Bytes a value, and its values as float32, by what the format calls it. `bytes` begin on any address. */
const TYPES: Readonly<Record<string, { bytes: number; read(bytes: Uint8Array): Float32Array }>> = {
  F32: { bytes: 4, read: (bytes) => new Float32Array(new Uint8Array(bytes).buffer) },
  F64: { bytes: 8, read: (bytes) => Float32Array.from(new Float64Array(new Uint8Array(bytes).buffer)) },
  F16: { bytes: 2, read: floatsOfHalves },
  BF16: {
    bytes: 2,
    read: (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(new Uint8Array(bytes).buffer), (half) => half << 16).buffer),
  },
};

/** PyTorch's count of the batches that a batch norm has seen: whole numbers, of no use here. */
const COUNTER = /(?:^|\.)num_batches_tracked$/;

export function encodeSafetensors(tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string>): Uint8Array[] {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let json = Buffer.from(JSON.stringify(header));
  json = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return [length, json, ...[...tensors.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/**
 * @throws {FerError} ERR_FER_MODEL_FORMAT for a header that is too long, not JSON, or whose shapes and offsets do not
 * describe exactly the bytes that follow.
 */
export function* decodeSafetensors(
  bytes: Uint8Array,
  name: string,
): Generator<void, { tensors: Map<string, Tensor>; metadata: Record<string, string> }> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${name} is not a sound safetensors file: ${reason}`, {
      cause,
      details: { file: name, reason },
    });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes`);
  const length = Number(view.getBigUint64(0, true));
  if (length > HEADER_LIMIT || 8 + length > bytes.length) fail(`its header says ${length} bytes, but the file has ${bytes.length}`);
  let header: Record<string, unknown> = {};
  try {
    header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 8, length).toString('utf8')) as Record<string, unknown>;
  } catch (cause) {
    fail('its header is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('its header is not an object');
  let metadata: Record<string, string> = {};
  const tensors = new Map<string, Tensor>();
  const ranges: [number, number][] = [];
  const start = 8 + length;
  for (const [key, value] of Object.entries(header)) {
    if (key === '__metadata__') {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('its metadata is not an object');
      metadata = Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    const counter = dtype === 'I64' && COUNTER.test(key);
    const type = typeof dtype === 'string' && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (!type && !counter) return fail(`tensor ${key} has type ${String(dtype)}; expected ${Object.keys(TYPES).join(', ')}`);
    const size = type?.bytes ?? 8;
    const whole = (list: unknown): list is number[] => Array.isArray(list) && list.every((v) => Number.isSafeInteger(v) && v >= 0);
    if (!whole(shape) || !whole(offsets) || offsets.length !== 2) return fail(`tensor ${key} has no proper shape and offsets`);
    const count = shape.reduce((a, b) => a * b, 1);
    const [begin, end] = offsets;
    if (end - begin !== count * size)
      fail(`tensor ${key} of shape [${shape.join(', ')}] needs ${count * size} bytes, its offsets span ${end - begin}`);
    if (8 + length + end > bytes.length) fail(`tensor ${key} ends beyond the file`);
    ranges.push([begin, end]);
    if (type) tensors.set(key, { shape, data: type.read(bytes.subarray(start + begin, start + end)) });
    yield;
  }
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let at = 0;
  for (const [begin, end] of ranges) {
    if (begin !== at) fail(`its tensors leave a gap or overlap at byte ${at}`);
    at = end;
  }
  if (8 + length + at !== bytes.length) fail(`${bytes.length - 8 - length - at} bytes at its end belong to no tensor`);
  return { tensors, metadata };
}
