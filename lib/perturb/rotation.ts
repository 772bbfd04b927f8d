/** Rotation about the image's centre, by the conventions of MATLAB's imrotate. */
import { fill, interpolation, type Definition, type Fill, type Interpolation } from './definition.js';

export interface Rotation {
  type: 'rotation';
  /** Positive turns counter-clockwise. */
  degrees: number;
  /** Default "nearest". */
  interpolation?: Interpolation;
  /** "crop" keeps the size; "loose" grows to hold the whole rotated image. Default "crop", because a network's input has one size. */
  size?: 'crop' | 'loose';
  /** Default 0, black. */
  fill?: Fill;
}

export const rotation: Definition<Rotation> = {
  type: 'rotation',
  title: 'Rotation',
  describe: 'Turns the image about its centre; positive is counter-clockwise.',
  main: 'degrees',
  flag: 'rotate',
  parameters: {
    degrees: { describe: 'angle, counter-clockwise', unit: '°', range: [-360, 360] },
    interpolation: interpolation('nearest'),
    size: { describe: 'crop keeps the size, loose grows to hold all of the rotated image', choices: ['crop', 'loose'], default: 'crop' },
    fill,
  },
  severities: [{ degrees: 4 }, { degrees: 8 }, { degrees: 15 }, { degrees: 30 }, { degrees: 45 }],
  reason: "five of the paper's seven degrees, so that both tables share points",
};
