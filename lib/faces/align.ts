/**
 * A face cut out of a picture as FER2013's faces are cut: upright, and as much of the head with it. The numbers are near FER2013's own, where the
 * finder sees the eyes in its pictures; `scripts/faces/measure.mjs` measures what others are worth, docs/faces.md has it.
 */
import type { GreyPicture } from '../data/image.js';
import type { FoundFace, Point } from './blazeface.js';

/** Where FER2013's faces have their eyes, as shares of the picture's side: how far apart, and how far down. */
export interface Layout {
  apart: number;
  down: number;
}

export const FER2013_LAYOUT: Layout = { apart: 0.365, down: 0.33 };

/** The side of a cut without eyes to go by, in sides of the finder's box, and how much higher its middle lies. */
const BOX = { side: 1.25, higher: 0.05 };

/** From the crop's pixels to the picture's: the origin, and one step to the right; down is that turned by 90°. */
interface Way {
  origin: Point;
  step: Point;
}

function wayOf({ box, eyes }: FoundFace, size: number, align: boolean, layout: Layout): Way {
  if (!eyes) {
    const side = Math.max(box.width, box.height) * BOX.side;
    const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 - BOX.higher * side };
    return { origin: { x: middle.x - side / 2, y: middle.y - side / 2 }, step: { x: side / size, y: 0 } };
  }
  const [left, right] = eyes;
  const apart = Math.hypot(right.x - left.x, right.y - left.y);
  const pixel = Math.max(apart / (layout.apart * size), 1e-3);
  const step = align ? { x: ((right.x - left.x) / apart) * pixel, y: ((right.y - left.y) / apart) * pixel } : { x: pixel, y: 0 };
  const [across, down] = [size / 2, layout.down * size];
  const middle = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  return { origin: { x: middle.x - across * step.x + down * step.y, y: middle.y - across * step.y - down * step.x }, step };
}

/** Samples of a pixel along a side at most: a face of 16 times the crop's side is still read whole. */
const MOST_TAPS = 16;

/**
 * The face as grey pixels [size, size]; what lies beyond the picture repeats its border. `align`: turn it so that its eyes are level.
 */
export function cutFace(picture: GreyPicture, face: FoundFace, size: number, align = true, layout = FER2013_LAYOUT): Uint8Array {
  const { origin, step } = wayOf(face, size, align, layout);
  const taps = Math.min(MOST_TAPS, Math.max(1, Math.round(Math.hypot(step.x, step.y))));
  const out = new Uint8Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let sum = 0;
      for (let i = 0; i < taps; i++)
        for (let j = 0; j < taps; j++) {
          const [down, across] = [y + (i + 0.5) / taps, x + (j + 0.5) / taps];
          sum += sample(picture, origin.x + across * step.x - down * step.y - 0.5, origin.y + across * step.y + down * step.x - 0.5);
        }
      out[y * size + x] = Math.round(sum / (taps * taps));
    }
  return out;
}

function sample({ pixels, width, height }: GreyPicture, x: number, y: number): number {
  const column = Math.min(Math.max(x, 0), width - 1);
  const row = Math.min(Math.max(y, 0), height - 1);
  const [x0, y0] = [Math.floor(column), Math.floor(row)];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const [h, v] = [column - x0, row - y0];
  const upper = pixels[y0 * width + x0] * (1 - h) + pixels[y0 * width + x1] * h;
  const lower = pixels[y1 * width + x0] * (1 - h) + pixels[y1 * width + x1] * h;
  return upper * (1 - v) + lower * v;
}
