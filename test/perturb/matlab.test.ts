/** Worked out by hand from MATLAB's documentation of imrotate and of arithmetic between uint8 and double. */
import { describe, expect, it } from 'vitest';
import { perturb, type Perturbation } from '../../lib/perturb/index.js';

async function rowsOf(rows: number[][], spec: Perturbation): Promise<number[][]> {
  const result = await perturb({ pixels: rows.flat(), width: rows[0].length, height: rows.length }, spec);
  return Array.from({ length: result.height }, (_, y) => [...result.pixels.subarray(y * result.width, (y + 1) * result.width)]);
}
const THREE = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
const FOUR = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
  [9, 10, 11, 12],
  [13, 14, 15, 16],
];

describe('rotation, as imrotate', () => {
  it('turns counter-clockwise: 90 degrees bring the last column to the top', async () => {
    expect(await rowsOf(THREE, { type: 'rotation', degrees: 90 })).toEqual([
      [3, 6, 9],
      [2, 5, 8],
      [1, 4, 7],
    ]);
    expect(await rowsOf(FOUR, { type: 'rotation', degrees: 90 })).toEqual([
      [4, 8, 12, 16],
      [3, 7, 11, 15],
      [2, 6, 10, 14],
      [1, 5, 9, 13],
    ]);
  });

  it('180 degrees reverse everything, -90 bring the first column to the top', async () => {
    expect(await rowsOf(THREE, { type: 'rotation', degrees: 180 })).toEqual([
      [9, 8, 7],
      [6, 5, 4],
      [3, 2, 1],
    ]);
    expect(await rowsOf(FOUR, { type: 'rotation', degrees: -90 })).toEqual([
      [13, 9, 5, 1],
      [14, 10, 6, 2],
      [15, 11, 7, 3],
      [16, 12, 8, 4],
    ]);
  });

  // The output's (dx, dy) from the centre reads the source at (cos dx - sin dy, sin dx + cos dy), both 0.7071 here.
  // Upper left (-1, -1): (0, -1.414), nearest (0, -1), the 2. Upper middle (0, -1): (0.707, -0.707), nearest (1, -1), the 3.
  // Upper right (1, -1): (1.414, 0), nearest (1, 0), the 6. And so round.
  it('45 degrees of 3x3, cropped', async () => {
    expect(await rowsOf(THREE, { type: 'rotation', degrees: 45 })).toEqual([
      [2, 3, 6],
      [1, 5, 9],
      [4, 7, 8],
    ]);
  });

  // Upper left (-1.5, -1.5): (0, -2.121), which is row -0.62: outside, black. Its neighbour (-0.5, -1.5): (0.707, -1.414) is
  // column 2.207, row 0.086: the 3. Then (0.5, -1.5): (1.414, -0.707), column 2.914, row 0.793: the 8.
  // Second row: (-1.5, -0.5): (-0.707, -1.414), column 0.793, row 0.086: the 2. (-0.5, -0.5): (0, -0.707), column 1.5: a tie,
  // which goes right, row 0.793: the 7. (0.5, -0.5): (0.707, 0), column 2.207, row 1.5: a tie, which goes down: the 11.
  it('45 degrees of 4x4, cropped: corners from outside are black', async () => {
    expect(await rowsOf(FOUR, { type: 'rotation', degrees: 45 })).toEqual([
      [0, 3, 8, 0],
      [2, 7, 11, 12],
      [5, 10, 11, 15],
      [0, 9, 14, 0],
    ]);
  });

  // The box around a square of 3 turned by 45 degrees is 3 (0.7071 + 0.7071) = 4.24 wide: 5 pixels.
  it('loose grows: 45 degrees of 3x3 fill 5x5', async () => {
    expect(await rowsOf(THREE, { type: 'rotation', degrees: 45, size: 'loose' })).toEqual([
      [0, 0, 3, 0, 0],
      [0, 2, 3, 6, 0],
      [1, 1, 5, 9, 9],
      [0, 4, 7, 8, 0],
      [0, 0, 7, 0, 0],
    ]);
    expect(await rowsOf([[1, 2, 3]], { type: 'rotation', degrees: 90, size: 'loose' })).toEqual([[3], [2], [1]]);
  });

  it('at 1 degree a cropped 48x48 image does not change: nothing moves by half a pixel', async () => {
    const pixels = Uint8Array.from({ length: 48 * 48 }, (_, i) => (i * 37) % 251);
    expect((await perturb({ pixels, width: 48, height: 48 }, { type: 'rotation', degrees: 1 })).pixels).toEqual(pixels);
  });
});

describe('brightness, as uint8 times double', () => {
  const times = (grey: number, factor: number): Promise<number[][]> => rowsOf([[grey]], { type: 'brightness', factor });

  it('rounds halves away from zero', async () => {
    expect(await times(15, 0.7)).toEqual([[11]]); // 10.5
    expect(await times(21, 0.5)).toEqual([[11]]); // 10.5: to even would be 10
    expect(await times(5, 1.5)).toEqual([[8]]); // 7.5
    expect(await times(3, 0.5)).toEqual([[2]]); // 1.5
    expect(await times(1, 0.49)).toEqual([[0]]);
  });

  it('saturates', async () => {
    expect(await times(200, 1.5)).toEqual([[255]]); // 300
    expect(await times(170, 1.5)).toEqual([[255]]); // 255 exactly
    expect(await times(169, 1.5)).toEqual([[254]]); // 253.5
    expect(await times(255, 0)).toEqual([[0]]);
  });

  it('multiplies in double precision: 45 times 0.7 is 31.499999999999996', async () => {
    expect(await times(45, 0.7)).toEqual([[31]]);
  });

  it('a shift saturates at both ends', async () => {
    expect(await rowsOf([[3, 250]], { type: 'brightness-shift', levels: 10 })).toEqual([[13, 255]]);
    expect(await rowsOf([[3, 250]], { type: 'brightness-shift', levels: -10 })).toEqual([[0, 240]]);
  });
});
