/** Brightness as ImageNet-C changes it: a constant is added. */
import type { Definition } from './definition.js';

export interface BrightnessShift {
  type: 'brightness-shift';
  /** -255 to 255, added to every grey value. */
  levels: number;
}

export const brightnessShift: Definition<BrightnessShift> = {
  type: 'brightness-shift',
  title: 'Brightness (shift)',
  describe: 'Adds to grey values, rounds halves away from zero and saturates at 0 and 255.',
  main: 'levels',
  flag: 'brightness-shift',
  parameters: { levels: { describe: 'grey levels to add', range: [-255, 255] } },
  severities: [{ levels: 26 }, { levels: 51 }, { levels: 77 }, { levels: 102 }, { levels: 128 }],
  reason: "ImageNet-C's 0.1 to 0.5, in grey levels",
};
