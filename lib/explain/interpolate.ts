/** Enlarging maps. */

/** Bilinear, half-pixel centres, edges repeated: square `values` [from * from] to [height * width]. */
export function enlarge(values: Float32Array, from: number, width: number, height: number): Float32Array {
  const places = (to: number): { near: number; next: number; weight: number }[] =>
    Array.from({ length: to }, (_, i) => {
      const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
      const near = Math.floor(at);
      return { near, next: Math.min(near + 1, from - 1), weight: at - near };
    });
  const columns = places(width);
  const out = new Float32Array(width * height);
  places(height).forEach((row, y) => {
    const [upper, lower] = [row.near * from, row.next * from];
    columns.forEach(({ near, next, weight }, x) => {
      const top = values[upper + near] + (values[upper + next] - values[upper + near]) * weight;
      const bottom = values[lower + near] + (values[lower + next] - values[lower + near]) * weight;
      out[y * width + x] = top + (bottom - top) * row.weight;
    });
  });
  return out;
}
