/** Contrast about the image's mean. */
import type { Definition } from './definition.js';

export interface Contrast {
  type: 'contrast';
  /** 0 to 100: 0 leaves the mean alone, 1 the image as it is. */
  factor: number;
}

export const contrast: Definition<Contrast> = {
  type: 'contrast',
  title: 'Contrast',
  describe: "Multiplies each grey value's distance from the image's mean.",
  main: 'factor',
  flag: 'contrast',
  parameters: { factor: { describe: 'below 1 flattens, above 1 sharpens', unit: '×', range: [0, 100] } },
  severities: [{ factor: 0.75 }, { factor: 0.5 }, { factor: 0.4 }, { factor: 0.3 }, { factor: 0.15 }],
  reason: "CIFAR-10-C's, ImageNet-C for images about as small as FER2013's",
};
