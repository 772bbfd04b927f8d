import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { native, type NativeAugmentation } from '../../lib/native.js';
import { residentData } from '../../lib/network/resident.js';

const NONE: NativeAugmentation = {
  flip: 0,
  geometric: 0,
  rotation: 0,
  shift: 0,
  zoom: 0,
  fill: 'edge',
  nearest: 0,
  photometric: 0,
  brightness: 0,
  contrast: 0,
  cutout: 0,
  cutoutSize: 0,
};
const faces = syntheticFaces();
const SIZE = faces.size;
const data = await residentData({ ...faces, size: SIZE });
const draw = (augmentation: Partial<NativeAugmentation>, index = 0, seed = 1, epoch = 0, repeat = 0, strength = 1): Float32Array =>
  native().augmentedImage(data, index, { seed, epoch, repeat, strength, augmentation: { ...NONE, ...augmentation } });
const plain = draw({});

describe('augmentation', () => {
  it('normalises to x / 127.5 - 1 when everything is off', () => {
    plain.forEach((value, i) => expect(value).toBeCloseTo(faces.images[i] / 127.5 - 1, 6));
  });

  it('mirrors exactly, and in about the share asked for', () => {
    const mirrored = draw({ flip: 1 });
    mirrored.forEach((value, i) => expect(value).toBe(plain[i - (i % SIZE) + SIZE - 1 - (i % SIZE)]));
    let flipped = 0;
    for (let epoch = 0; epoch < 1000; epoch++) flipped += Number(draw({ flip: 0.3 }, 0, 1, epoch)[0] === mirrored[0]);
    expect(flipped / 1000).toBeGreaterThan(0.25); // three standard deviations are 0.043
    expect(flipped / 1000).toBeLessThan(0.35);
  });

  it('shifts, zooms and rotates within the image, and leaves it alone at range 0', () => {
    draw({ geometric: 1 }).forEach((value, i) => expect(value).toBeCloseTo(plain[i], 5));
    for (const part of [{ rotation: 20 }, { shift: 0.2 }, { zoom: 0.3 }]) {
      const moved = draw({ geometric: 1, ...part });
      expect(moved.some((value, i) => Math.abs(value - plain[i]) > 0.1)).toBe(true);
    }
  });

  it('brings in the edge or black from outside, as asked', () => {
    const corners = (fill: 'edge' | 'black') =>
      Array.from({ length: 20 }, (_, epoch) => draw({ geometric: 1, rotation: 60, fill }, 0, 1, epoch)).map(
        (image) => [image[0], image[SIZE - 1], image.at(-1)].filter((value) => value === -1).length,
      );
    expect(corners('black').filter((black) => black === 3).length).toBeGreaterThan(10);
    expect(Math.max(...corners('edge'))).toBe(0);
    expect(draw({ geometric: 1, fill: 'black' })).toEqual(draw({ geometric: 1, fill: 'edge' }));
  });

  it('reads the nearest pixel, as asked: no grey value comes out that did not go in', () => {
    const inside = new Set(plain);
    const strange = (nearest: number) =>
      draw({ geometric: 1, rotation: 30, shift: 0.1, nearest }).filter((value) => !inside.has(value)).length;
    expect(strange(1)).toBe(0);
    expect(strange(0)).toBeGreaterThan(100);
  });

  it('cuts a square of mid-grey no larger than asked for', () => {
    for (let epoch = 0; epoch < 50; epoch++) {
      const holes = draw({ cutout: 1, cutoutSize: 0.25 }, 3, 1, epoch).filter((value) => value === 0).length;
      expect(holes).toBeLessThanOrEqual((SIZE / 4) ** 2);
    }
  });

  it('turns further the stronger it is, up to the range of the option', () => {
    const turn = { geometric: 1, rotation: 20 };
    expect(draw(turn, 0, 1, 0, 0, 1.5)).toEqual(draw({ geometric: 1, rotation: 30 }));
    expect(draw({ geometric: 1, rotation: 170 }, 0, 1, 0, 0, 2)).toEqual(draw({ geometric: 1, rotation: 180 }));
  });

  it('stays in -1..1, is a function of seed, epoch, row and repeat, and differs between them', () => {
    const all = {
      flip: 0.5,
      geometric: 0.8,
      rotation: 40,
      shift: 0.2,
      zoom: 0.3,
      photometric: 1,
      brightness: 0.6,
      contrast: 0.6,
      cutout: 0.5,
      cutoutSize: 0.4,
    };
    fc.assert(
      fc.property(fc.nat(3499), fc.nat(1e9), fc.nat(1000), (row, seed, epoch) => {
        const image = draw(all, row, seed, epoch);
        expect(image.every((value) => value >= -1 && value <= 1)).toBe(true);
        expect(draw(all, row, seed, epoch)).toEqual(image);
        expect(draw(all, row, seed, epoch + 1)).not.toEqual(image);
        expect(draw(all, row, seed, epoch, 1)).not.toEqual(image);
        expect(draw(all, row, seed + 1, epoch)).not.toEqual(image);
      }),
    );
  });
});
