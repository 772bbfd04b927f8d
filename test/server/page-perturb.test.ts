/** The page's own perturbations against the native core's. */
import { describe, expect, it } from 'vitest';
import { perturb, type Perturbation } from '../../lib/perturb/index.js';
import { PERTURBATION_TYPES } from '../../lib/perturb/registry.js';
import { complete } from '../../lib/perturb/settings.js';
import { LOCAL_EFFECTS, perturbed, type Settings } from '../../lib/server/page/perturb.js';
import { face, SIZE } from './serving.js';

/** Strengths that the page's sliders can have. */
const STRENGTHS: Record<string, [parameter: string, ...values: number[]]> = {
  rotation: ['degrees', -45, -17, 1, 30, 45, 90],
  translation: ['distance', 0.03, 0.11, 0.2],
  scale: ['factor', 0.5, 0.83, 1],
  brightness: ['factor', 0.3, 1.37, 2.5],
  'brightness-shift': ['levels', -120, -33, 77],
  gamma: ['exponent', 1.07, 2.2, 4],
  contrast: ['factor', 0.15, 0.61, 1],
  shadow: ['strength', 0.2, 0.55, 0.9],
  highlight: ['strength', 0.2, 0.55, 1],
  noise: ['sigma', 1, 13.3, 25.5],
  blur: ['sigma', 0.1, 0.77, 1.5],
  occlusion: ['side', 0.1, 0.33, 0.5],
};

const both = async (chain: Settings[]): Promise<[Uint8Array, Uint8Array]> => {
  const image = { pixels: face(1), width: SIZE, height: SIZE };
  const full = chain.map((each) => complete(each as unknown as Perturbation));
  return [perturbed(face(1), SIZE, full as unknown as Settings[]), (await perturb(image, chain as unknown as Perturbation[])).pixels];
};

describe('in the browser', () => {
  it('all but JPEG are there', () => {
    expect([...LOCAL_EFFECTS, 'jpeg'].sort()).toEqual([...PERTURBATION_TYPES].sort());
    expect(Object.keys(STRENGTHS).sort()).toEqual([...LOCAL_EFFECTS].sort());
  });

  it.each(Object.keys(STRENGTHS))('%s does what the native core does, to the bit', async (type) => {
    const [parameter, ...values] = STRENGTHS[type];
    for (const value of values) {
      const [own, native] = await both([{ type, [parameter]: value }]);
      expect(own, `${parameter} ${value}`).toEqual(native);
      expect(own.length).toBe(SIZE * SIZE);
    }
  });

  it('one after another, each with draws of its own', async () => {
    const chain = Object.entries(STRENGTHS).map(([type, [parameter, value]]) => ({ type, [parameter]: value }));
    const [own, native] = await both(chain);
    expect(own).toEqual(native);
  });
});
