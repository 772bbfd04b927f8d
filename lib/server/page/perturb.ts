/**
 * The perturbations in the browser, as native/perturb/ does them, at their default settings: what its sliders can ask for. JPEG is not
 * among them: browsers write another than the server's. test/server/page-perturb.test.ts holds both against one another.
 */
import { philox, uniform } from './philox.js';

export type Settings = { type: string } & Record<string, number | string>;

/** Grey, [size, size]. */
type Grey = Uint8Array;
type Draws = (block: number) => number[];
type Effect = (image: Grey, size: number, settings: Record<string, number>, draws: Draws) => Grey;

const saturate = (value: number): number => Math.floor(Math.min(Math.max(value, 0), 255) + 0.5);
const radians = (degrees: number): number => degrees * (Math.PI / 180);
const PERTURB_STREAM = 5;

/** Counter-clockwise from the right; y points down. Quarter turns are exact. */
function direction(degrees: number): { x: number; y: number } {
  const quarter = degrees / 90;
  if (!Number.isInteger(quarter)) return { x: Math.cos(radians(degrees)), y: -Math.sin(radians(degrees)) };
  const turn = ((quarter % 4) + 4) % 4;
  return { x: [1, 0, -1, 0][turn], y: [0, -1, 0, 1][turn] };
}

const table =
  (tone: (grey: number, image: Grey, settings: Record<string, number>) => number): Effect =>
  (image, _, settings) => {
    const greys = Uint8Array.from({ length: 256 }, (_, grey) => saturate(tone(grey, image, settings)));
    return image.map((grey) => greys[grey]);
  };

const mean = (image: Grey): number => image.reduce((sum, value) => sum + value, 0) / image.length;

/** Each pixel by its place. */
function each(image: Grey, size: number, value: (grey: number, x: number, y: number) => number): Grey {
  const out = new Uint8Array(image.length);
  for (let y = 0, i = 0; y < size; y++) for (let x = 0; x < size; x++, i++) out[i] = value(image[i], x, y);
  return out;
}

/** Decides ties of half a pixel alike. */
const TIE = 1e-9;

/** Output pixel (x, y) reads where a matrix about the centres says, less a shift; black beyond the image. */
function warp(
  image: Grey,
  size: number,
  [xx, xy, yx, yy]: readonly number[],
  { nearest = false, shiftX = 0, shiftY = 0 }: { nearest?: boolean; shiftX?: number; shiftY?: number },
): Grey {
  const middle = 0.5 * (size - 1);
  const [x0, y0] = [middle - xx * middle - xy * middle - shiftX, middle - yx * middle - yy * middle - shiftY];
  const at = (x: number, y: number): number => (x < 0 || y < 0 || x >= size || y >= size ? 0 : image[y * size + x]);
  return each(image, size, (_, column, row) => {
    const x = xx * column + xy * row + x0;
    const y = yx * column + yy * row + y0;
    if (nearest) return at(Math.floor(x + 0.5 + TIE), Math.floor(y + 0.5 + TIE));
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [h, v] = [x - left, y - top];
    const upper = at(left, top) * (1 - h) + at(left + 1, top) * h;
    const lower = at(left, top + 1) * (1 - h) + at(left + 1, top + 1) * h;
    return saturate(upper * (1 - v) + lower * v);
  });
}

function blur(image: Grey, size: number, sigma: number): Grey {
  const radius = Math.floor(4 * sigma + 0.5);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    radius === 0 ? 1 : Math.exp((-0.5 * (i - radius) ** 2) / (sigma * sigma)),
  );
  const sum = weights.reduce((a, b) => a + b);
  const inside = (i: number): number => Math.min(Math.max(i, 0), size - 1);
  const across = new Float64Array(image.length);
  for (let y = 0; y < size; y++)
    for (let k = 0; k < weights.length; k++)
      for (let x = 0; x < size; x++) across[y * size + x] += (weights[k] / sum) * image[y * size + inside(x + k - radius)];
  return each(image, size, (_, x, y) =>
    saturate(weights.reduce((to, weight, k) => to + (weight / sum) * across[inside(y + k - radius) * size + x], 0)),
  );
}

function noise(image: Grey, sigma: number, draws: Draws): Grey {
  const out = new Uint8Array(image.length);
  for (let i = 0; i < image.length; i += 4) {
    const bits = draws(i / 4);
    for (const pair of [0, 2]) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform(bits[pair])));
      const angle = radians(360 * uniform(bits[pair + 1]));
      [Math.cos(angle), Math.sin(angle)].forEach((part, j) => (out[i + pair + j] = saturate(image[i + pair + j] + sigma * radius * part)));
    }
  }
  return out;
}

/** A square, drawn so that it lies inside. */
function occlude(image: Grey, size: number, { side: share, value }: Record<string, number>, draws: Draws): Grey {
  const side = Math.round(share * size);
  const [left, top] = draws(0).map((bits) => Math.floor(Math.fround(uniform(bits) * Math.fround(size - side + 1))));
  return each(image, size, (grey, x, y) => (x >= left && x < left + side && y >= top && y < top + side ? saturate(value) : grey));
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  rotation(image, size, { degrees }) {
    const { x, y } = direction(degrees);
    return warp(image, size, [x, y, -y, x], { nearest: true });
  },
  translation(image, size, { distance }, draws) {
    const { x, y } = direction(360 * uniform(draws(0)[0]));
    return warp(image, size, [1, 0, 0, 1], { shiftX: distance * size * x, shiftY: distance * size * y });
  },
  scale: (image, size, { factor }) => warp(image, size, [1 / factor, 0, 0, 1 / factor], {}),
  brightness: table((grey, _, { factor }) => grey * factor),
  'brightness-shift': table((grey, _, { levels }) => grey + levels),
  gamma: table((grey, _, { exponent }) => 255 * Math.pow(grey / 255, exponent)),
  contrast(image, size, settings, draws) {
    const middle = mean(image);
    return table((grey, _, { factor }) => (grey - middle) * factor + middle)(image, size, settings, draws);
  },
  shadow(image, size, { strength, softness }, draws) {
    const [towards, off] = draws(0);
    const to = direction(360 * uniform(towards));
    const offset = 0.2 * (2 * uniform(off) - 1);
    const middle = 0.5 * (size - 1);
    return each(image, size, (grey, x, y) => {
      const t = Math.min(Math.max((((x - middle) * to.x + (y - middle) * to.y) / size - offset) / softness + 0.5, 0), 1);
      return saturate(grey * (1 - strength * (t * t * (3 - 2 * t))));
    });
  },
  highlight(image, size, { strength, radius }, draws) {
    const [across, down] = draws(0).map((bits) => {
      const place = 0.2 + 0.6 * uniform(bits);
      return Float64Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i + 0.5 - place * size) / (radius * size)) ** 2));
    });
    return each(image, size, (grey, x, y) => saturate(grey + 255 * strength * down[y] * across[x]));
  },
  noise: (image, _, { sigma }, draws) => noise(image, sigma, draws),
  blur: (image, size, { sigma }) => blur(image, size, sigma),
  occlusion: occlude,
};

/** What can be done here. */
export const LOCAL_EFFECTS: readonly string[] = Object.keys(EFFECTS);

/** `image` [size, size] after one after another, seed 0. `settings` are complete: with the defaults of what is not the slider's. */
export function perturbed(image: Grey, size: number, chain: readonly Settings[]): Grey {
  return chain.reduce(
    (now, { type, ...settings }, step) =>
      EFFECTS[type](now, size, settings as Record<string, number>, (block) => philox(0, [block, 0, step, PERTURB_STREAM])),
    image,
  );
}
