/** Half-precision floats (IEEE 754 binary16), which Node 20 has no array of. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half, ties to even; infinite from 65520 on. */
export function toHalf(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14 halves are whole multiples of 2^-24; 1.5 x 2^23 on top leaves a float whose low bits are that many, rounded.
  float[0] = Math.fround(Math.abs(value) * 2 ** 24) + 1.5 * 2 ** 23;
  return sign | (bits[0] & 0x7ff);
}

/** The number that a half is. */
export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  const magnitude =
    exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -magnitude : magnitude;
}

/** Little-endian bytes of the nearest halves. */
export function halvesOf(values: Float32Array): Uint8Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i]);
  return new Uint8Array(halves.buffer);
}

/** Floats from little-endian halves at any address. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => fromHalf(view.getUint16(2 * i, true)));
}
