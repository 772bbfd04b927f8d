/** A local shadow: one side of a soft-edged line lies in the dark. */
import type { Definition } from './definition.js';

export interface Shadow {
  type: 'shadow';
  /** Share of the light that is lost, 0 to 1. */
  strength: number;
  /** Where the dark side lies, degrees counter-clockwise from the right. Left out: drawn for each image. */
  direction?: number;
  /** Place of the line: fraction of the longer side from the centre towards the dark side, -1 to 1. Left out: drawn in -0.2 to 0.2. */
  offset?: number;
  /** Width of the edge, as a fraction of the longer side. Default 0.1. */
  softness?: number;
}

export const shadow: Definition<Shadow> = {
  type: 'shadow',
  title: 'Local shadow',
  describe: 'Darkens one side of a line through the face, with a soft edge.',
  main: 'strength',
  flag: 'shadow',
  parameters: {
    strength: { describe: 'share of the light that is lost', range: [0, 1] },
    direction: { describe: 'where the dark side lies, counter-clockwise from the right', unit: '°', range: [-360, 360], drawn: true },
    offset: {
      describe: 'from the centre towards the dark side, fraction of the longer side; drawn in -0.2 to 0.2',
      range: [-1, 1],
      drawn: true,
    },
    softness: { describe: 'width of the edge, fraction of the longer side', range: [0, 1], default: 0.1 },
  },
  severities: [{ strength: 0.3 }, { strength: 0.45 }, { strength: 0.6 }, { strength: 0.75 }, { strength: 0.9 }],
  reason: "the paper's darkest factor, 0.3, is strength 0.7: two severities above it, three below",
};
