/** Gaussian blur. */
import type { Definition } from './definition.js';

export interface Blur {
  type: 'blur';
  /** Standard deviation, pixels, 0 to 50. */
  sigma: number;
}

export const blur: Definition<Blur> = {
  type: 'blur',
  title: 'Gaussian blur',
  describe: 'Convolves with a Gaussian cut off at four standard deviations; the border is repeated.',
  main: 'sigma',
  flag: 'blur',
  parameters: { sigma: { describe: 'standard deviation', unit: 'px', range: [0, 50] } },
  severities: [{ sigma: 0.6 }, { sigma: 0.9 }, { sigma: 1.05 }, { sigma: 1.2 }, { sigma: 1.5 }],
  reason: "CIFAR-10-C's 0.4 to 1.0 at 32 pixels, for 48",
};
