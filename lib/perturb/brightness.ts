/** Brightness as the paper changes it: grey values times a factor, with MATLAB's rounding and saturation. */
import type { Definition } from './definition.js';

export interface Brightness {
  type: 'brightness';
  /** 0 to 100; 1 leaves the image as it is. */
  factor: number;
}

export const brightness: Definition<Brightness> = {
  type: 'brightness',
  title: 'Brightness (factor)',
  describe: 'Multiplies grey values, rounds halves away from zero and saturates at 255, as MATLAB multiplies uint8 by double.',
  main: 'factor',
  flag: 'brightness',
  parameters: { factor: { describe: 'what grey values are multiplied by', unit: '×', range: [0, 100] } },
  severities: [{ factor: 1.2 }, { factor: 1.4 }, { factor: 1.8 }, { factor: 2 }, { factor: 2.5 }],
  reason: "the paper's factors above 1, where its network fails; gamma and shadow darken",
};
