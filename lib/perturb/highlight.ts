/** A local highlight: a round spot of light. */
import type { Definition } from './definition.js';

export interface Highlight {
  type: 'highlight';
  /** Light added at the spot's centre, 0 to 1 of full white. */
  strength: number;
  /** Centre of the spot, fractions of width and height from the upper left. Left out: drawn in 0.2 to 0.8 for each image. */
  x?: number;
  y?: number;
  /** Standard deviation of the spot, fraction of the longer side. Default 0.2. */
  radius?: number;
}

export const highlight: Definition<Highlight> = {
  type: 'highlight',
  title: 'Local highlight',
  describe: 'Adds a round spot of light that fades as a Gaussian.',
  main: 'strength',
  flag: 'highlight',
  parameters: {
    strength: { describe: "light added at the spot's centre, 1 for full white", range: [0, 1] },
    x: { describe: "the spot's centre, fraction of the width; drawn in 0.2 to 0.8", range: [0, 1], drawn: true },
    y: { describe: "the spot's centre, fraction of the height; drawn in 0.2 to 0.8", range: [0, 1], drawn: true },
    radius: { describe: 'standard deviation, fraction of the longer side', range: [0.01, 1], default: 0.2 },
  },
  severities: [{ strength: 0.2 }, { strength: 0.4 }, { strength: 0.6 }, { strength: 0.8 }, { strength: 1 }],
  reason: 'even steps up to a spot that is white whatever was below',
};
