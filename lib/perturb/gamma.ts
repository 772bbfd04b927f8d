/** A power law of brightness. */
import type { Definition } from './definition.js';

export interface Gamma {
  type: 'gamma';
  /** 0.05 to 20; above 1 darkens, below 1 brightens. */
  exponent: number;
}

export const gamma: Definition<Gamma> = {
  type: 'gamma',
  title: 'Gamma',
  describe: 'Raises grey values, taken as 0 to 1, to a power: above 1 darkens, below 1 brightens.',
  main: 'exponent',
  flag: 'gamma',
  parameters: { exponent: { describe: 'the power', range: [0.05, 20] } },
  severities: [{ exponent: 1.5 }, { exponent: 2 }, { exponent: 2.5 }, { exponent: 3 }, { exponent: 4 }],
  reason: 'mid-grey 128 becomes 91, 64, 46, 32 and 16: a room that darkens by half and half again',
};
