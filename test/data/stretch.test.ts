/** Grey and stretching as this package does them: against their definitions, and near to what sharp makes. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { luma } from '../../lib/data/grey.js';
import { decodeImage, readPicture } from '../../lib/data/image.js';
import { stretched } from '../../lib/data/stretch.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { atOnce } from '../../lib/slices.js';

const SIZE = 48;
const face = syntheticFaces().images.slice(0, SIZE * SIZE);
const to = (pixels: Uint8Array, width: number, height: number, size: number): Uint8Array =>
  atOnce(stretched({ pixels, width, height }, size));

describe('luma', () => {
  it("is BT.601's, leaves grey as it is and reads no alpha", () => {
    const colours = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30, 255, 255, 255, 7, 7, 7]);
    const exact = [76.245, 149.685, 29.07, 0.299 * 10 + 0.587 * 200 + 0.114 * 30, 255, 7];
    expect([...atOnce(luma(colours, 3))]).toEqual(exact.map(Math.round));
    const greys = Uint8Array.from({ length: 1024 }, (_, i) => (i % 4 === 3 ? i >> 3 : i >> 2));
    expect([...atOnce(luma(greys, 4))]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  it('is what a picture in grey has, whatever its form', async () => {
    const grey = sharp(face, { raw: { width: SIZE, height: SIZE, channels: 1 } }).toColourspace('b-w');
    for (const encoded of [grey.clone().png(), grey.clone().toColourspace('grey16').png(), grey.clone().toColourspace('srgb').png()])
      expect((await readPicture(await encoded.toBuffer())).pixels).toEqual(face);
  });
});

describe('stretching', () => {
  it('leaves a picture of that size as it is, and one colour as one colour', () => {
    expect(to(face, SIZE, SIZE, SIZE)).toEqual(face);
    for (const value of [0, 1, 128, 255])
      expect(new Set(to(new Uint8Array(131 * 77).fill(value), 131, 77, SIZE))).toEqual(new Set([value]));
  });

  it('weighs by a triangle as wide as the step', () => {
    // Two to one: each pixel reads four, with weights 1, 3, 3, 1 of 8; at the border what is there.
    expect([...to(Uint8Array.from([0, 80, 160, 240, 0, 80, 160, 240, 0, 80, 160, 240, 0, 80, 160, 240]), 4, 4, 2)]).toEqual([57, 183, 57, 183]); // prettier-ignore
    // One to two: halfway between centres, the border repeated.
    expect([...to(Uint8Array.from([0, 100]), 2, 1, 4).subarray(0, 4)]).toEqual([0, 25, 75, 100]);
  });

  it("is Pillow's bilinear filter, which rounds once more", () => {
    const colours = Uint8Array.from({ length: 7 * 9 * 3 }, (_, at) => {
      const [i, j, c] = [Math.floor(at / 27), Math.floor(at / 3) % 9, at % 3];
      return (i * 37 + j * 91 + c * 53) % 256;
    });
    const grey = atOnce(luma(colours, 3));
    // image.convert('L') and .resize((size, size), Image.BILINEAR) of Pillow 13.0.
    expect([...grey.subarray(0, 9)]).toEqual([43, 134, 196, 60, 151, 213, 77, 168, 80]);
    for (const [size, expected] of [
      [4, [117, 123, 143, 129, 138, 125, 125, 141, 145, 133, 124, 123, 122, 142, 124, 133]],
      [10, [43, 120, 181, 108, 110, 179, 165, 100, 155, 80, 63, 140, 139, 99, 130, 162, 132, 116, 162, 100]],
    ] as const)
      to(grey, 9, 7, size)
        .subarray(0, expected.length)
        .forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(1));
  });

  it('is near to what sharp makes where it shrinks, by some grey values of 255', async () => {
    for (const side of [60, 100, 200, 431]) {
      const png = await sharp(face, { raw: { width: SIZE, height: SIZE, channels: 1 } })
        .resize(side)
        .toColourspace('b-w')
        .png()
        .toBuffer();
      const own = await decodeImage(png, { size: SIZE });
      const other = await sharp(png).resize(SIZE, SIZE, { fit: 'fill', kernel: 'linear' }).toColourspace('b-w').raw().toBuffer();
      const off = own.map((value, i) => Math.abs(value - other[i]));
      expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(1);
      expect(Math.max(...off)).toBeLessThan(8);
    }
  });
});
