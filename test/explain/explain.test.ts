import sharp from 'sharp';
import * as vega from 'vega';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { FerError } from '../../lib/errors.js';
import { evidenceColour, inferno, signedColour } from '../../lib/explain/colours.js';
import { drawExplanation } from '../../lib/explain/draw.js';
import type { ExplainOptions, Explanation } from '../../lib/explain/explain.js';
import { enlarge } from '../../lib/data/bilinear.js';
import { MiniXception } from '../../lib/model.js';
import type { Pixels } from '../../lib/data/image.js';

const faces = syntheticFaces();
const face = (row: number): Pixels => ({ pixels: faces.images.subarray(row * 2304, (row + 1) * 2304), width: 48, height: 48 });
let model: MiniXception;
beforeAll(async () => {
  model = await MiniXception.load('models/mini-xception-narrow/model.safetensors');
});
afterAll(() => model.dispose());

const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], 5);
};

describe('an explanation', () => {
  it('is of the predicted class, with its prediction, and leaves the network as it was', async () => {
    const before = await model.predict(face(0));
    const explanation = await model.explain(face(0));
    expect(explanation).toMatchObject({ method: 'grad-cam', layer: 'modules.1', class: before.label, index: before.index, size: 48 });
    expect(explanation.prediction.label).toBe(before.label);
    expect(explanation.prediction.probability).toBeCloseTo(before.probability, 5);
    expect(await model.predict(face(0))).toEqual(before);
    expect(explanation.cam?.size).toBe(11);
    expect(explanation.map).toHaveLength(48 * 48);
    expect(Math.max(...explanation.map)).toBe(1);
    expect(Math.min(...explanation.map)).toBeGreaterThanOrEqual(0);
  });

  it('may be of any class, by name or index, at any layer', async () => {
    const sizes = { 'stem.1': 46, 'stem.2': 44, 'modules.0': 22, 'modules.1': 11, 'modules.2': 6, 'modules.3': 3 };
    for (const [layer, size] of Object.entries(sizes)) {
      const byName = await model.explain(face(1), { class: 'fear', layer });
      expect(byName.cam?.size).toBe(size);
      expect(await model.explain(face(1), { class: 2, layer })).toEqual(byName);
      expect((await model.explain(face(1), { class: 'happy', layer })).map).not.toEqual(byName.map);
    }
  });

  it('names pixels whose change moves the logit as told', async () => {
    const { map } = await model.explain(face(2), { method: 'guided-backprop', class: 'happy' });
    const moved = (sign: number): Pixels => ({
      ...face(2),
      pixels: Uint8ClampedArray.from(map, (value, i) => face(2).pixels[i] + sign * 20 * value),
    });
    const [less, more] = await model.predict([moved(-1), moved(1)]);
    expect(more.probabilities.happy).toBeGreaterThan(less.probabilities.happy);
  });

  it('joins both methods in guided Grad-CAM', async () => {
    const [cam, guided, both] = await Promise.all(
      (['grad-cam', 'guided-backprop', 'guided-grad-cam'] as const).map((method) => model.explain(face(3), { method, class: 0 })),
    );
    const product = guided.map.map((value, i) => value * cam.map[i]);
    const most = Math.max(...product.map(Math.abs));
    close(
      both.map,
      product.map((value) => value / most),
    );
    expect(guided).not.toHaveProperty('layer');
    expect(guided).not.toHaveProperty('cam');
    expect(both.layer).toBe('modules.1');
  });

  it('takes the deepest layer of at least 10 pixels, or the last of a network that has none', async () => {
    using small = MiniXception.create({ width: { stem: [4, 4], modules: [8, 8] }, inputSize: 12 });
    expect((await small.explain(face(0))).layer).toBe('stem.1');
    using tiny = MiniXception.create({ width: { stem: [4, 4], modules: [8] }, inputSize: 8 });
    expect((await tiny.explain(face(0))).layer).toBe('modules.0');
  });

  it.each([
    [{ class: 'joy' }, /expected one of angry, .*got "joy", for class/],
    [{ class: 7 }, /got 7, for class/],
    [{ class: 1.5 }, /got 1.5, for class/],
    [{ layer: 'modules.4' }, /expected stem.1, .* or modules.3, got "modules.4", for layer/],
    [{ method: 'lime' as 'grad-cam' }, /expected grad-cam, guided-backprop or guided-grad-cam, got "lime", for method/],
    [{ method: 'guided-backprop', layer: 'stem.1' }, /expected no layer with guided-backprop/],
  ] as [ExplainOptions, RegExp][])('refuses %j', async (options, message) => {
    await expect(model.explain(face(0), options)).rejects.toThrow(message);
    await expect(model.explain(face(0), options)).rejects.toThrow(FerError);
  });
});

describe('drawing', () => {
  const flat = (map: Float32Array, method: Explanation['method'] = 'grad-cam'): Explanation => ({
    method,
    class: 'happy',
    index: 3,
    prediction: { label: 'happy', index: 3, probability: 1, probabilities: { happy: 1 } },
    size: 2,
    map,
    scale: 1,
    picture: { pixels: new Uint8Array(60 * 40).fill(100), width: 60, height: 40 },
  });
  const pixels = async (explanation: Explanation): Promise<{ width: number; height: number; at: (x: number, y: number) => number[] }> => {
    const { data, info } = await sharp(await drawExplanation(explanation, { side: 120 }))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { ...info, at: (x, y) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)] };
  };

  it('keeps the shape of the picture, and the face grey where there is no evidence', async () => {
    const drawn = await pixels(flat(new Float32Array(4)));
    expect([drawn.width, drawn.height]).toEqual([120, 80]);
    expect(drawn.at(0, 0)).toEqual([100, 100, 100]);
    expect(drawn.at(119, 79)).toEqual([100, 100, 100]);
  });

  it('takes grey values of any kind, as predicting does', async () => {
    const explanation = flat(new Float32Array(4));
    explanation.picture.pixels = new Float32Array(60 * 40).fill(260.4);
    expect((await pixels(explanation)).at(5, 5)).toEqual([255, 255, 255]);
  });

  it('colours evidence from violet to yellow, signed values red and blue', async () => {
    const drawn = await pixels(flat(Float32Array.of(1, 0, 0, 0)));
    const [red, , blue] = drawn.at(0, 0);
    expect(red).toBeGreaterThan(blue + 80);
    expect(drawn.at(119, 79)).toEqual([100, 100, 100]);
    const signed = await pixels(flat(Float32Array.of(1, 0, 0, -1), 'guided-backprop'));
    expect(signed.at(0, 0)).toEqual([214, 40, 40]);
    expect(signed.at(119, 79)).toEqual([30, 100, 220]);
  });

  it('writes the formats it names, and refuses others', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const)
      expect((await sharp(await drawExplanation(flat(new Float32Array(4)), { format, side: 32 })).metadata()).format).toBe(format);
    await expect(drawExplanation(flat(new Float32Array(4)), { format: 'bmp' as 'png' })).rejects.toThrow(/for format/);
    await expect(drawExplanation(flat(new Float32Array(4)), { side: 3 })).rejects.toThrow(/for side/);
  });

  it("has matplotlib's inferno, as vega has it", () => {
    const theirs = vega.scheme('inferno') as unknown as (value: number) => string;
    for (let value = 0; value <= 1; value += 1 / 255) {
      const [red, green, blue] = (theirs(value).match(/\d+/g) ?? []).map(Number);
      const ours = inferno(value);
      [red, green, blue].forEach((channel, i) => expect(Math.abs(channel - ours[i])).toBeLessThan(7));
    }
    expect(evidenceColour(0)[3]).toBe(0);
    expect(signedColour(0)[3]).toBe(0);
  });

  it('enlarges between the centres of pixels and repeats the edge', () => {
    close(enlarge(Float32Array.of(0, 1, 2, 3), 2, 4, 2), [0, 0.25, 0.75, 1, 2, 2.25, 2.75, 3]);
    close(enlarge(Float32Array.of(5), 1, 2, 3), [5, 5, 5, 5, 5, 5]);
  });
});
