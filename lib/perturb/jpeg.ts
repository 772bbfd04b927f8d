/** Loss by JPEG compression, the one perturbation that a library makes: sharp. */
import type { Definition } from './definition.js';
import { recompress } from './recompress.js';

export interface Jpeg {
  type: 'jpeg';
  /** 1 to 100. */
  quality: number;
}

export const jpeg: Definition<Jpeg> = {
  type: 'jpeg',
  title: 'JPEG',
  describe: 'Compresses the image as a baseline JPEG and reads it back.',
  main: 'quality',
  flag: 'jpeg',
  parameters: { quality: { describe: 'quality', range: [1, 100], whole: true } },
  severities: [{ quality: 80 }, { quality: 65 }, { quality: 58 }, { quality: 50 }, { quality: 40 }],
  reason: "CIFAR-10-C's",
  apply: (batch, { quality }) => recompress(batch, quality),
};
