/** Gaussian noise. */
import type { Definition } from './definition.js';

export interface Noise {
  type: 'noise';
  /** Standard deviation, grey levels, 0 to 255. */
  sigma: number;
}

export const noise: Definition<Noise> = {
  type: 'noise',
  title: 'Gaussian noise',
  describe: 'Adds normal noise, drawn for each pixel.',
  main: 'sigma',
  flag: 'noise',
  parameters: { sigma: { describe: 'standard deviation, grey levels', range: [0, 255] } },
  severities: [{ sigma: 10.2 }, { sigma: 15.3 }, { sigma: 20.4 }, { sigma: 22.95 }, { sigma: 25.5 }],
  reason: "CIFAR-10-C's 0.04 to 0.10 of full white",
};
