import { once } from 'node:events';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { GreyPicture } from '../../lib/data/image.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import {
  atSeverity,
  perturb,
  perturbBatch,
  PERTURBATIONS,
  PERTURBATION_TYPES,
  SEVERITIES,
  type Perturbation,
} from '../../lib/perturb/index.js';
import type { ImageBatch } from '../../lib/data/image.js';
import { definitionOf } from '../../lib/perturb/registry.js';

const faces = syntheticFaces();
const SIZE = faces.size;
const PIXELS = SIZE * SIZE;
const batch = (count: number): ImageBatch => ({ images: faces.images.slice(0, count * PIXELS), count, width: SIZE, height: SIZE });

const image = fc
  .record({ width: fc.integer({ min: 1, max: 24 }), height: fc.integer({ min: 1, max: 24 }) })
  .chain(({ width, height }) =>
    fc.uint8Array({ minLength: width * height, maxLength: width * height }).map((pixels): GreyPicture => ({ pixels, width, height })),
  );
const square = fc
  .integer({ min: 1, max: 24 })
  .chain((side) => fc.uint8Array({ minLength: side ** 2, maxLength: side ** 2 }).map((pixels) => ({ pixels, width: side, height: side })));
const sampling = fc.record({
  interpolation: fc.constantFrom('nearest' as const, 'bilinear' as const, 'bicubic' as const),
  fill: fc.oneof(fc.constantFrom('reflect' as const, 'edge' as const), fc.integer({ min: 0, max: 255 })),
});
// Buffers compare much faster than vitest does.
const equal = (a: ImageBatch, b: ImageBatch): boolean => Buffer.from(a.images.buffer).equals(Buffer.from(b.images.buffer));
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe('what leaves an image alone', () => {
  it.each([0, 360, -360])('a rotation by %s degrees', async (degrees) => {
    await fc.assert(
      fc.asyncProperty(image, sampling, fc.constantFrom('crop' as const, 'loose' as const), async (input, options, size) => {
        expect(await perturb(input, { type: 'rotation', degrees, size, ...options })).toEqual(input);
      }),
    );
  });

  it('four quarter turns, and two half turns', async () => {
    await fc.assert(
      fc.asyncProperty(square, sampling, async (input, options) => {
        const quarter: Perturbation = { type: 'rotation', degrees: 90, ...options };
        expect(await perturb(input, [quarter, quarter, quarter, quarter])).toEqual(input);
        const half: Perturbation = { type: 'rotation', degrees: 180, ...options };
        expect(await perturb(input, [half, half])).toEqual(input);
        expect(await perturb(input, [quarter, quarter])).toEqual(await perturb(input, half));
      }),
    );
  });

  it('four loose quarter turns of any image; one swaps its sides', async () => {
    await fc.assert(
      fc.asyncProperty(image, async (input) => {
        const quarter: Perturbation = { type: 'rotation', degrees: 90, size: 'loose' };
        const once = await perturb(input, quarter);
        expect([once.width, once.height]).toEqual([input.height, input.width]);
        expect(await perturb(input, [quarter, quarter, quarter, quarter])).toEqual(input);
      }),
    );
  });

  const still: Perturbation[] = [
    { type: 'translation', distance: 0 },
    { type: 'scale', factor: 1 },
    { type: 'brightness', factor: 1 },
    { type: 'brightness-shift', levels: 0 },
    { type: 'gamma', exponent: 1 },
    { type: 'contrast', factor: 1 },
    { type: 'shadow', strength: 0 },
    { type: 'highlight', strength: 0 },
    { type: 'noise', sigma: 0 },
    { type: 'blur', sigma: 0 },
    { type: 'occlusion', side: 0 },
  ];
  it.each(still.map((spec): [string, Perturbation] => [spec.type, spec]))('%s of no strength', async (_, spec) => {
    await fc.assert(
      fc.asyncProperty(image, fc.nat(1000), async (input, seed) => {
        expect(await perturb(input, spec, { seed })).toEqual(input);
      }),
    );
  });

  it('an empty chain', async () => {
    await fc.assert(
      fc.asyncProperty(image, async (input) => {
        expect(await perturb(input, [])).toEqual(input);
      }),
    );
  });
});

describe('what light does', () => {
  it('more of it never darkens a pixel, and brighter pixels stay at least as bright', async () => {
    const ramp = { pixels: Uint8Array.from({ length: 256 }, (_, i) => i), width: 16, height: 16 };
    const rising = (values: Uint8Array): boolean => values.every((value, i) => i === 0 || value >= values[i - 1]);
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.06, max: 4, noNaN: true }), fc.double({ min: 1, max: 3, noNaN: true }), async (weak, more) => {
        const pairs: [Perturbation, Perturbation][] = [
          [
            { type: 'brightness', factor: weak },
            { type: 'brightness', factor: weak * more },
          ],
          [
            { type: 'brightness-shift', levels: weak },
            { type: 'brightness-shift', levels: weak * more },
          ],
          [
            { type: 'gamma', exponent: weak * more },
            { type: 'gamma', exponent: weak },
          ],
        ];
        for (const [less, greater] of pairs) {
          const [dark, bright] = [(await perturb(ramp, less)).pixels, (await perturb(ramp, greater)).pixels];
          expect(rising(dark)).toBe(true);
          expect(dark.every((value, i) => value <= bright[i])).toBe(true);
        }
      }),
    );
  });

  it('a shadow only darkens, about half of the image; a highlight only brightens', async () => {
    const input = batch(200);
    const shaded = await perturbBatch(input, { type: 'shadow', strength: 0.8 });
    const lit = await perturbBatch(input, { type: 'highlight', strength: 0.8 });
    expect(shaded.images.every((value, i) => value <= input.images[i])).toBe(true);
    expect(lit.images.every((value, i) => value >= input.images[i])).toBe(true);
    const darker = shaded.images.filter((value, i) => value < input.images[i]).length / input.images.length;
    expect(darker).toBeGreaterThan(0.4);
    expect(darker).toBeLessThan(0.65);
  });

  it('contrast 0 leaves the mean', async () => {
    await fc.assert(
      fc.asyncProperty(image, async (input) => {
        const { pixels } = await perturb(input, { type: 'contrast', factor: 0 });
        const mean = sum(input.pixels) / input.pixels.length;
        expect(new Set(pixels).size).toBe(1);
        expect(Math.abs(pixels[0] - mean)).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});

describe('what is drawn', () => {
  const drawing: Perturbation[] = [
    { type: 'translation', distance: 0.2 },
    { type: 'shadow', strength: 0.6 },
    { type: 'highlight', strength: 0.6 },
    { type: 'noise', sigma: 20 },
    { type: 'occlusion', side: 0.3 },
  ];

  it.each(drawing.map((spec): [string, Perturbation] => [spec.type, spec]))(
    '%s: a function of seed, row and step, however many threads',
    async (_, spec) => {
      const face = faces.images.slice(0, PIXELS);
      const same = { images: new Uint8Array(300 * PIXELS), count: 300, width: SIZE, height: SIZE };
      for (let i = 0; i < 300; i++) same.images.set(face, i * PIXELS);
      const one = await perturbBatch(same, spec, { seed: 5, threads: 1 });
      expect(equal(await perturbBatch(same, spec, { seed: 5, threads: 3 }), one)).toBe(true);
      const each = Array.from({ length: 300 }, (_, i) => Buffer.from(one.images.subarray(i * PIXELS, (i + 1) * PIXELS)).toString('base64'));
      expect(new Set(each).size).toBeGreaterThan(200); // squares of 14 pixels have 35 x 35 places
      const alone = await perturb({ pixels: face, width: SIZE, height: SIZE }, spec, { seed: 5, rows: Uint32Array.of(217) });
      expect(Buffer.from(alone.pixels).toString('base64')).toBe(each[217]);
      expect(equal(await perturbBatch(same, spec, { seed: 6 }), one)).toBe(false);
      const second = await perturbBatch(same, [{ type: 'brightness', factor: 1 }, spec], { seed: 5 });
      expect(equal(second, one)).toBe(false); // the second step of a chain draws anew
    },
  );

  it('with more threads than four a core: no more than those, the same pixels, and a warning', async () => {
    const heard = once(process, 'warning');
    const many = await perturbBatch(batch(20), { type: 'noise', sigma: 20 }, { threads: 1023 });
    expect(String((await heard)[0])).toMatch(/^FerWarning: 1023 threads were asked for, and this process has \d+ cores?: it runs \d+$/);
    expect(equal(many, await perturbBatch(batch(20), { type: 'noise', sigma: 20 }))).toBe(true);
  });

  it('noise is normal: mean, deviation, skewness and kurtosis of 460,800 draws', async () => {
    const grey = { images: new Uint8Array(200 * PIXELS).fill(128), count: 200, width: SIZE, height: SIZE };
    const { images } = await perturbBatch(grey, { type: 'noise', sigma: 20 });
    const n = images.length;
    const moment = (power: number): number => images.reduce((total, value) => total + ((value - 128) / 20) ** power, 0) / n;
    // Five standard errors: 1, sqrt 2, sqrt 15 and sqrt 96 over the root of n. Rounding to whole levels adds 1 / (12 * 400) to the variance.
    const error = 5 / Math.sqrt(n);
    expect(Math.abs(moment(1))).toBeLessThan(error);
    expect(Math.abs(moment(2) - 1 - 1 / 4800)).toBeLessThan(1.5 * error);
    expect(Math.abs(moment(3))).toBeLessThan(4 * error);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(10 * error);
    const neighbours = images.reduce((total, value, i) => total + (i === 0 ? 0 : (value - 128) * (images[i - 1] - 128)), 0) / (n * 400);
    expect(Math.abs(neighbours)).toBeLessThan(error);
  });

  it('an occluding square lies inside and has its size', async () => {
    const white = { images: new Uint8Array(500 * PIXELS).fill(255), count: 500, width: SIZE, height: SIZE };
    const { images } = await perturbBatch(white, { type: 'occlusion', side: 0.25 });
    for (let i = 0; i < 500; i++) expect(images.subarray(i * PIXELS, (i + 1) * PIXELS).filter((value) => value === 0).length).toBe(144);
  });

  it('a shift goes in every direction', async () => {
    const dot = { images: new Uint8Array(400 * PIXELS), count: 400, width: SIZE, height: SIZE };
    for (let i = 0; i < 400; i++) dot.images[i * PIXELS + 24 * SIZE + 24] = 255;
    const { images } = await perturbBatch(dot, { type: 'translation', distance: 0.25, interpolation: 'nearest' });
    const octants = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const at = images.subarray(i * PIXELS, (i + 1) * PIXELS).indexOf(255);
      const [dx, dy] = [(at % SIZE) - 24, Math.floor(at / SIZE) - 24];
      expect(Math.abs(Math.hypot(dx, dy) - 12)).toBeLessThan(1);
      octants.add(Math.floor((Math.atan2(dy, dx) + Math.PI) / (Math.PI / 4)) % 8);
    }
    expect(octants.size).toBe(8);
  });
});

describe('severities', () => {
  it.each(PERTURBATION_TYPES)('%s: each changes the images more than the one before', async (type) => {
    const input = batch(100);
    const changes: number[] = [];
    for (const severity of SEVERITIES) {
      const { images } = await perturbBatch(input, atSeverity(type, severity));
      changes.push(sum(images.map((value, i) => Math.abs(value - input.images[i]))) / images.length);
    }
    expect(changes[0]).toBeGreaterThan(0);
    expect(changes).toEqual([...changes].sort((a, b) => a - b));
    expect(new Set(changes).size).toBe(5);
  });

  it.each(PERTURBATION_TYPES)('%s: its settings lie in the ranges that it states', (type) => {
    const definition = definitionOf(type);
    expect(PERTURBATIONS[type].type).toBe(type);
    for (const settings of definition.severities)
      for (const [name, value] of Object.entries(settings)) {
        const [min, max] = definition.parameters[name].range ?? [];
        expect(value).toBeGreaterThanOrEqual(min as number);
        expect(value).toBeLessThanOrEqual(max as number);
      }
  });
});

describe('JPEG', () => {
  it.each([
    [48, 48],
    [13, 21],
  ])('stacked images of %sx%s come out as each would alone', async (width, height) => {
    const count = 1500; // more than one stack of 48 pixels
    const images = Uint8Array.from({ length: count * width * height }, (_, i) => 127 + 120 * Math.sin(i / 7) * Math.cos(i / 1013));
    const together = await perturbBatch({ images, count, width, height }, { type: 'jpeg', quality: 40 });
    for (const i of [0, 1, 700, 1364, 1365, 1499]) {
      const pixels = images.slice(i * width * height, (i + 1) * width * height);
      const encoded = await sharp(pixels, { raw: { width, height, channels: 1 } })
        .toColourspace('b-w')
        .jpeg({ quality: 40 })
        .toBuffer();
      const alone = await sharp(encoded).toColourspace('b-w').raw().toBuffer();
      expect(Buffer.from(together.images.subarray(i * width * height, (i + 1) * width * height)).equals(alone)).toBe(true);
    }
  });

  it('stands anywhere in a chain', async () => {
    const input = batch(3);
    const steps: Perturbation[] = [
      { type: 'rotation', degrees: 10 },
      { type: 'jpeg', quality: 50 },
      { type: 'noise', sigma: 9 },
    ];
    let result = await perturbBatch(await perturbBatch(input, steps[0]), steps[1]);
    expect((await perturbBatch(input, steps.slice(0, 2))).images).toEqual(result.images);
    // Noise as third step draws as third step, whatever stood before it.
    const third = (first: Perturbation): Promise<ImageBatch> =>
      perturbBatch(result, [first, { type: 'brightness', factor: 1 }, steps[2]], { seed: 3 });
    result = { ...result };
    expect((await perturbBatch(input, steps, { seed: 3 })).images).toEqual((await third({ type: 'gamma', exponent: 1 })).images);
  });
});

describe('inputs', () => {
  it('takes pictures of several sizes at once and gives them back in order', async () => {
    const sizes = [12, 20, 12, 33];
    const inputs = sizes.map((side, i) => ({ pixels: new Uint8Array(side * 10).fill(i + 1), width: side, height: 10 }));
    const encoded = await sharp(Buffer.alloc(48 * 30 * 3, 90), { raw: { width: 48, height: 30, channels: 3 } })
      .png()
      .toBuffer();
    const results = await perturb([...inputs, encoded], { type: 'brightness', factor: 2 });
    expect(results.map(({ width, height, pixels }) => [width, height, pixels[0]])).toEqual([
      [12, 10, 2],
      [20, 10, 4],
      [12, 10, 6],
      [33, 10, 8],
      [48, 30, 180],
    ]);
  });

  const face = { pixels: faces.images.slice(0, PIXELS), width: SIZE, height: SIZE };
  const wrong: [string, unknown, RegExp][] = [
    ['no such type', { type: 'twist', degrees: 3 }, /expected rotation, .*, got "twist", for type/],
    ['no strength', { type: 'rotation' }, /expected a number from -360 to 360, got undefined, for rotation.degrees/],
    ['too strong', { type: 'brightness', factor: 1000 }, /expected a number from 0 to 100, got 1000, for brightness.factor/],
    ['not a number', { type: 'gamma', exponent: NaN }, /got NaN, for gamma.exponent/],
    ['an unknown parameter', { type: 'rotation', degree: 3 }, /expected degrees, interpolation, size, fill, got "degree", for rotation/],
    ['an unknown word', { type: 'rotation', degrees: 3, interpolation: 'cubic' }, /expected nearest, bilinear or bicubic, got "cubic"/],
    ['a fill that is neither', { type: 'scale', factor: 1, fill: 'black' }, /from 0 to 255, reflect or edge, got "black", for scale.fill/],
    ['half a quality', { type: 'jpeg', quality: 50.5 }, /expected a whole number from 1 to 100, got 50.5, for jpeg.quality/],
  ];
  it.each(wrong)('refuses %s', async (_, spec, message) => {
    await expect(perturb(face, spec as Perturbation)).rejects.toMatchObject({ code: 'ERR_FER_ARGUMENT', message });
  });

  it('refuses images that do not fit, and a severity that is none', async () => {
    const spec: Perturbation = { type: 'blur', sigma: 1 };
    await expect(perturb({ pixels: [1, 2, 3], width: 2, height: 2 }, spec)).rejects.toThrow(
      /expected width x height = 2 x 2 = 4 values, got 3, for image.pixels/,
    );
    await expect(perturbBatch({ ...batch(2), count: 3 }, spec)).rejects.toThrow(/count x height x width bytes/);
    await expect(perturb(face, spec, { rows: Uint32Array.of(1, 2) })).rejects.toThrow(/expected 1 rows/);
    const tall = { pixels: new Uint8Array(66_000), width: 1, height: 66_000 };
    await expect(perturb(tall, { type: 'jpeg', quality: 50 })).rejects.toThrow(/at most 65500 pixels a side, got "1x66000", for jpeg/);
    await expect(perturb(face, spec, { seed: -1 })).rejects.toThrow(/got -1, for seed/);
    expect(() => atSeverity('blur', 6 as never)).toThrow(/expected a whole number from 1 to 5, got 6/);
  });
});
