/** A change of scale about the image's centre; the image keeps its size. */
import { fill, interpolation, type Definition, type Fill, type Interpolation } from './definition.js';

export interface Scale {
  type: 'scale';
  /** Below 1 shrinks, above 1 enlarges; 0.1 to 10. */
  factor: number;
  /** Default "bilinear". */
  interpolation?: Interpolation;
  /** Default 0, black. */
  fill?: Fill;
}

export const scale: Definition<Scale> = {
  type: 'scale',
  title: 'Scale',
  describe: 'Shrinks or enlarges the image about its centre; the size stays.',
  main: 'factor',
  flag: 'scale',
  parameters: {
    factor: { describe: 'below 1 shrinks, above 1 enlarges', range: [0.1, 10] },
    interpolation: interpolation('bilinear'),
    fill,
  },
  severities: [{ factor: 0.9 }, { factor: 0.8 }, { factor: 0.7 }, { factor: 0.6 }, { factor: 0.5 }],
  reason: 'a box around the face that is up to twice too large',
};
