/** A shift, by default in a direction drawn for each image. */
import { fill, interpolation, type Definition, type Fill, type Interpolation } from './definition.js';

export interface Translation {
  type: 'translation';
  /** Fraction of the longer side, 0 to 1. */
  distance: number;
  /** Degrees, counter-clockwise from the right. Left out: drawn for each image. */
  direction?: number;
  /** Default "bilinear", as MATLAB's imtranslate. */
  interpolation?: Interpolation;
  /** Default 0, black. */
  fill?: Fill;
}

export const translation: Definition<Translation> = {
  type: 'translation',
  title: 'Translation',
  describe: 'Shifts the image.',
  main: 'distance',
  flag: 'translate',
  parameters: {
    distance: { describe: 'how far, as a fraction of the longer side', range: [0, 1] },
    direction: { describe: 'where to, counter-clockwise from the right', unit: '°', range: [-360, 360], drawn: true },
    interpolation: interpolation('bilinear'),
    fill,
  },
  severities: [{ distance: 0.04 }, { distance: 0.08 }, { distance: 0.12 }, { distance: 0.16 }, { distance: 0.2 }],
  reason: 'about 2, 4, 6, 8 and 10 of 48 pixels: from a detector that is slightly off to a face that is cut',
};
