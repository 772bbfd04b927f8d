/** A square that hides part of the image. */
import type { Definition } from './definition.js';

export interface Occlusion {
  type: 'occlusion';
  /** Side of the square, fraction of the shorter side, 0 to 1. */
  side: number;
  /** Centre of the square, fractions of width and height from the upper left. Left out: drawn for each image so that the square lies inside. */
  x?: number;
  y?: number;
  /** Grey value of the square. Default 0, black. */
  value?: number;
}

export const occlusion: Definition<Occlusion> = {
  type: 'occlusion',
  title: 'Occlusion',
  describe: 'Covers a square of the image.',
  main: 'side',
  flag: 'occlusion',
  parameters: {
    side: { describe: 'of the square, fraction of the shorter side', range: [0, 1] },
    x: { describe: "the square's centre, fraction of the width; drawn so that it lies inside", range: [0, 1], drawn: true },
    y: { describe: "the square's centre, fraction of the height; drawn so that it lies inside", range: [0, 1], drawn: true },
    value: { describe: 'grey value of the square', range: [0, 255], whole: true, default: 0 },
  },
  severities: [{ side: 0.1 }, { side: 0.2 }, { side: 0.3 }, { side: 0.4 }, { side: 0.5 }],
  reason: 'from 1 % to a quarter of the face: an eye or the mouth is hidden from severity 2 or 3 on',
};
