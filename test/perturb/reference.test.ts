import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { perturb, PERTURBATION_TYPES, type Perturbation } from '../../lib/perturb/index.js';

interface Image {
  width: number;
  height: number;
  pixels: number[];
}
interface Case extends Image {
  source: string;
  spec: Perturbation;
  input: string;
  within: keyof typeof WITHIN;
}
/** Largest difference of a pixel, and the share of pixels that may differ at all. What each is for: scripts/fixtures/perturb.py. */
const WITHIN = { exact: [0, 0], rounding: [1, 0.01], 'fixed point': [255, 0.02], codec: [2, 1] };

const { inputs, cases } = JSON.parse(readFileSync('test/fixtures/perturb.json', 'utf8')) as {
  inputs: Record<string, Image>;
  cases: Case[];
};

describe('against SciPy, scikit-image, OpenCV, Pillow and NumPy', () => {
  it.each(cases.map((each): [string, Case] => [`${each.source}: ${JSON.stringify(each.spec)} of ${each.input}`, each]))(
    '%s',
    async (_, { spec, input, within, width, height, pixels }) => {
      const result = await perturb(inputs[input], spec);
      expect([result.width, result.height]).toEqual([width, height]);
      const off = pixels.map((pixel, i) => Math.abs(pixel - result.pixels[i]));
      const [most, share] = WITHIN[within];
      const differing = off.filter((difference) => difference > 0).length;
      const worst = Math.max(...off);
      expect(worst, `worst difference ${worst}, ${differing} of ${off.length} pixels differ`).toBeLessThanOrEqual(most);
      expect(differing / off.length, `${differing} of ${off.length} pixels differ`).toBeLessThanOrEqual(share);
    },
  );

  it('covers every perturbation that draws nothing of its own', () => {
    expect([...new Set(cases.map(({ spec }) => spec.type)), 'noise'].sort()).toEqual([...PERTURBATION_TYPES].sort());
  });
});
