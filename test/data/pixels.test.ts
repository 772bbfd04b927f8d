/** Raw pixels: what is no grey picture of 0 to 255 gets no answer, but a message with what was expected and received. */
import { describe, expect, it } from 'vitest';
import { greyPicture } from '../../lib/data/image.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';

const SIDE = 48;
const face = syntheticFaces().images.subarray(0, SIDE * SIDE);
const read = (pixels: ArrayLike<number>, width = SIDE, height = SIDE) => greyPicture({ pixels, width, height });
const scaled = (change: (value: number) => number): Float32Array => Float32Array.from(face, change);

describe('raw pixels', () => {
  it('are taken from any list of numbers, rounded', async () => {
    for (const pixels of [
      face,
      Float64Array.from(face),
      [...face],
      new Uint8ClampedArray(face),
      scaled((value) => value + (value < 255 ? 0.3 : 0)),
    ])
      expect((await read(pixels)).pixels).toEqual(Uint8Array.from(face));
  });

  it('may be black, white, or of two shades', async () => {
    for (const pixels of [new Float32Array(SIDE * SIDE), new Float32Array(SIDE * SIDE).fill(0.5), face.map((value) => value & 1)])
      expect((await read(pixels)).pixels.length).toBe(SIDE * SIDE);
  });

  it.each([
    [
      'scaled to 0..1',
      scaled((value) => value / 255),
      'expected values of 0 to 255, got values within 0..1 (multiply by 255), for image.pixels',
    ],
    ['scaled to -1..1', scaled((value) => value / 127.5 - 1), 'got values within -1..1 (add 1 and multiply by 127.5)'],
    ['NaN', scaled((value) => (value === face[7] ? NaN : value)), /got NaN at \d/],
    ['infinite', scaled(() => Infinity), 'got Infinity at 0'],
    ['of 16 bits', Uint16Array.from(face, (value) => value * 257), /got \d+ to \d+ \(of 16 bits\? divide by 257\)/],
    ['negative', Int16Array.from(face, (value) => value - 128), /expected values of 0 to 255, got -\d+ to \d+, for image.pixels/],
    ['texts', [...face].map(String) as never, /expected numbers of 0 to 255, got \d+ at 0/],
  ])('are refused where they are %s', async (_, pixels, message) => {
    await expect(read(pixels)).rejects.toMatchObject({ code: 'ERR_FER_ARGUMENT' });
    await expect(read(pixels)).rejects.toThrow(message);
  });

  it.each([
    [
      3 * SIDE * SIDE,
      'expected width x height = 48 x 48 = 2304 values, got 6912 (three a pixel looks like RGB: make it grey), for image.pixels',
    ],
    [4 * SIDE * SIDE, 'got 9216 (four a pixel looks like RGBA: make it grey)'],
    [2303, 'expected width x height = 48 x 48 = 2304 values, got 2303, for image.pixels'],
    [0, 'got 0, for image.pixels'],
  ])('are refused where there are %i of them', async (count, message) => {
    await expect(read(new Uint8Array(count))).rejects.toThrow(message);
  });

  it.each([
    [0, 0],
    [-48, -48],
    [48.5, 48],
    [NaN, 48],
  ])('are refused of %f x %f', async (width, height) => {
    await expect(read(face, width, height)).rejects.toThrow(/expected whole numbers from 1 as width and height/);
  });
});
