/**
 * What a perturbation is: one file a kind, each exporting the interface of its parameters and a `Definition` that says what they
 * mean, which values they take and what five severities stand for. `registry.ts` lists them; `native/perturb/` does the work.
 */
import type { ImageBatch } from '../data/image.js';

/** One parameter: a number within `range`, or one of `choices` (`fill` takes both). Without `default` and `drawn` it must be given. */
export interface Parameter {
  describe: string;
  unit?: string;
  /** Both ends included. */
  range?: readonly [min: number, max: number];
  whole?: boolean;
  choices?: readonly string[];
  default?: number | string;
  /** Left out, it is drawn anew for every image, from the seed and the image's row. */
  drawn?: boolean;
}

export interface Definition<P extends { type: string }> {
  type: P['type'];
  title: string;
  describe: string;
  /** The parameter that says how strong: what the command line's flag takes and a curve has on its axis. */
  main: Exclude<keyof P, 'type'> & string;
  /** The command line's flag. */
  flag: string;
  parameters: Record<Exclude<keyof P, 'type'> & string, Parameter>;
  /** From barely visible to severe, as ImageNet-C has them. */
  severities: readonly [Omit<P, 'type'>, Omit<P, 'type'>, Omit<P, 'type'>, Omit<P, 'type'>, Omit<P, 'type'>];
  /** Why these five. */
  reason: string;
  /** Only where the native core has none of this type: does it to every image of the batch, each keeps its size. */
  apply?: (batch: ImageBatch, settings: P) => Promise<Uint8Array>;
}

/** How many severities every perturbation has, as ImageNet-C. */
export type Severity = 1 | 2 | 3 | 4 | 5;
export const SEVERITIES: readonly Severity[] = [1, 2, 3, 4, 5];

/** How pixels between pixels are read: MATLAB's names; bicubic is Keys's kernel with a = -0.5, as MATLAB's. */
export type Interpolation = 'nearest' | 'bilinear' | 'bicubic';
/** What lies outside the image: a grey value, the image mirrored at its border (d c b a | a b c d), or its border repeated. */
export type Fill = number | 'reflect' | 'edge';

export const interpolation = (standard: Interpolation): Parameter => ({
  describe: 'how pixels between pixels are read',
  choices: ['nearest', 'bilinear', 'bicubic'],
  default: standard,
});
export const fill: Parameter = {
  describe: 'what lies outside the image: a grey value, reflect or edge',
  range: [0, 255],
  whole: true,
  choices: ['reflect', 'edge'],
  default: 0,
};
