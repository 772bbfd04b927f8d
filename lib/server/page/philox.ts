/** The native core's random numbers in the browser: Philox 4x32-10, a pure function of seed and counter. */

/** The high and the low 32 bits of a product of two. */
function product(a: number, b: number): [high: number, low: number] {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const other = a0 * b1 + (middle & 0xffff);
  return [a1 * b1 + Math.floor(middle / 65536) + Math.floor(other / 65536), Math.imul(a, b)];
}

/** Four draws of 32 bits. */
export function philox(seed: number, counter: readonly number[]): number[] {
  let [k0, k1] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  let [a, b, c, d] = counter;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = product(0xd2511f53, a);
    const [high1, low1] = product(0xcd9e8d57, c);
    [a, b, c, d] = [high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [a, b, c, d];
}

/** In [0, 1), of 24 bits. */
export const uniform = (bits: number): number => (bits >>> 8) * 2 ** -24;
