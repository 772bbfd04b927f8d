/** Bilinear resizing: half-pixel centres, no antialiasing, edges repeated, as OpenCV's INTER_LINEAR and the native core. */

/** Where each of `to` pixels lies between two of `from`. */
function places(from: number, to: number): { near: Int32Array; next: Int32Array; weight: Float32Array } {
  const [near, next, weight] = [new Int32Array(to), new Int32Array(to), new Float32Array(to)];
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    near[i] = Math.floor(at);
    next[i] = Math.min(near[i] + 1, from - 1);
    weight[i] = at - near[i];
  }
  return { near, next, weight };
}

/** Square images [count, from, from] to `out` [count, height, width]; `half` is added to each value: 0.5 where `out` cuts off what follows the point. */
function interpolate<Values extends Uint8Array | Float32Array>(
  images: Values,
  from: number,
  out: Values,
  width: number,
  height: number,
  half: number,
): Values {
  const columns = places(from, width);
  const rows = places(from, height);
  for (let start = 0, o = 0; o < out.length; start += from * from)
    for (let y = 0; y < height; y++) {
      const upper = start + rows.near[y] * from;
      const lower = start + rows.next[y] * from;
      for (let x = 0; x < width; x++, o++) {
        const [a, b, w] = [columns.near[x], columns.next[x], columns.weight[x]];
        const top = images[upper + a] + (images[upper + b] - images[upper + a]) * w;
        const bottom = images[lower + a] + (images[lower + b] - images[lower + a]) * w;
        out[o] = top + (bottom - top) * rows.weight[y] + half;
      }
    }
  return out;
}

/** Grey images [count, from, from] to [count, to, to], rounded to nearest. */
export function resizeBilinear(images: Uint8Array, count: number, from: number, to: number): Uint8Array {
  return from === to ? images : interpolate(images, from, new Uint8Array(count * to * to), to, to, 0.5);
}

/** A square map [from, from] to [height, width]. */
export function enlarge(values: Float32Array, from: number, width: number, height: number): Float32Array {
  return interpolate(values, from, new Float32Array(width * height), width, height, 0);
}
