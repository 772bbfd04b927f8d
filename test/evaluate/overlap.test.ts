/** A network on data of other classes: figures over those in common, a new head for the rest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { drawnLabels } from '../../lib/training/votes.js';

const SIZE = 20;
const WIDTH = { stem: [2, 2] as [number, number], modules: [3] };
let faces: LabelledImages;
let folder: string;
beforeAll(() => {
  faces = syntheticFaces({ size: SIZE });
  folder = mkdtempSync(path.join(tmpdir(), 'fer-overlap-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The faces with their classes under other names; `order` says which class each label is now. */
function renamed(names: string[], order = names.map((_, i) => i)): LabelledImages {
  return { ...faces, classes: order.map((i) => names[i]), labels: faces.labels.map((label) => order.indexOf(label)) };
}
const NOUNS = ['Anger', 'Disgust', 'Fear', 'Happiness', 'Sadness', 'Surprise', 'Neutral'];

describe('evaluate', () => {
  it('gives the same figures whatever the classes are called and in whatever order', async () => {
    using model = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 3 });
    const plain = await model.evaluate(faces);
    expect(await model.evaluate(renamed(NOUNS, [3, 6, 0, 2, 1, 5, 4]))).toEqual(plain);
    expect(plain.overlap).toBeUndefined();
  });

  it('is over the classes in common: images and logits of the others are left out, and n is that of the rest', async () => {
    using model = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 3 });
    const ck = renamed(['anger', 'disgust', 'fear', 'happy', 'sadness', 'surprise', 'contempt']);
    const split = [...faces.splits.get('PrivateTest')!];
    const metrics = await model.evaluate(ck);
    const kept = split.map((row) => faces.labels[row]).filter((label) => label !== 6);
    expect(metrics.n).toBe(kept.length);
    expect(metrics.overlap).toEqual({
      shared: model.classes.slice(0, 6),
      onlyData: ['contempt'],
      onlyNetwork: ['neutral'],
      images: split.length,
    });
    expect(metrics.perClass.map(({ name }) => name)).toEqual(model.classes.slice(0, 6));
    // By hand: the likeliest of the first six logits.
    const logits = await model.logitsOf(faces, 'PrivateTest');
    const right = split.filter((row, i) => {
      const six = [...logits.subarray(i * 7, i * 7 + 6)];
      return faces.labels[row] !== 6 && six.indexOf(Math.max(...six)) === faces.labels[row];
    });
    expect(metrics.accuracy).toBe(right.length / kept.length);
  });

  it('refuses data that has fewer than two classes in common', async () => {
    using model = MiniXception.create({ width: WIDTH, inputSize: SIZE });
    await expect(model.evaluate(renamed(['a', 'b', 'c', 'd', 'e', 'f', 'Neutral']))).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
      message: expect.stringContaining("expected images of at least two of the model's classes (angry, disgust, ") as string,
      details: { shared: ['neutral'] },
    });
  });
});

describe('training on other classes', () => {
  it('learns the same under other names and orders of the same classes', async () => {
    const weights = await Promise.all(
      [faces, renamed(NOUNS, [3, 6, 0, 2, 1, 5, 4])].map(async (data) => {
        using model = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 1, threads: 1 });
        await model.fit(data, { epochs: 1, batchSize: 500, selectBy: 'last' });
        return [...(await model.tensors())];
      }),
    );
    expect(weights[1]).toEqual(weights[0]);
  });

  it('refuses a class that the network lacks, with what to do', async () => {
    using model = MiniXception.create({ width: WIDTH, inputSize: SIZE });
    const data = renamed(['anger', 'disgust', 'fear', 'happy', 'sadness', 'surprise', 'contempt']);
    await expect(model.fit(data, { epochs: 1 })).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
      message: expect.stringContaining(
        'train a new head for them (--new-head, model.withNewHead), or rename and leave out classes',
      ) as string,
      details: { onlyData: ['contempt'], onlyModel: ['neutral'] },
    });
  });

  it.each([
    ['as many', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
    ['three', ['calm', 'tense', 'glad']],
  ])('keeps all weights but the head for %s classes', async (_, classes) => {
    using model = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 3 });
    using other = await model.withNewHead(classes, { seed: 9 });
    expect(other.classes).toEqual(classes);
    const [before, after] = [await model.tensors(), await other.tensors()];
    const changed = [...after].filter(([name, { data }]) => String(before.get(name)!.data) !== String(data)).map(([name]) => name);
    expect(changed).toEqual(['head.weight', 'head.bias']);
    expect(after.get('head.weight')!.shape).toEqual([classes.length, 3, 3, 3]);
    expect(other.metadata.source).toBe(`a new head on weights for ${model.classes.join(', ')}`);
    using again = await model.withNewHead(classes, { seed: 9 });
    expect([...(await again.tensors())]).toEqual([...after]);
  });
});

describe('votes', () => {
  const voted = (): LabelledImages => {
    // Three of ten took each face for the next class.
    const votes = new Uint8Array(faces.labels.length * 7);
    faces.labels.forEach((label, row) => {
      votes[row * 7 + label] = 7;
      votes[row * 7 + ((label + 1) % 7)] = 3;
    });
    return { ...faces, votes };
  };

  it('are drawn by their shares, anew each epoch, the same for the same seed', () => {
    const data = voted();
    const drawn = drawnLabels(data, 5, 0)!;
    const same = drawn.filter((label, row) => label === faces.labels[row]).length / drawn.length;
    expect(same).toBeGreaterThan(0.67);
    expect(same).toBeLessThan(0.73);
    expect(drawn.every((label, row) => label === faces.labels[row] || label === (faces.labels[row] + 1) % 7)).toBe(true);
    expect(drawnLabels(data, 5, 0)).toEqual(drawn);
    expect(drawnLabels(data, 5, 1)).not.toEqual(drawn);
    expect(drawnLabels(data, 6, 0)).not.toEqual(drawn);
    expect(drawnLabels(faces, 5, 0)).toBeUndefined();
  });

  it('keep the label of an image that nobody judged', () => {
    expect(drawnLabels({ ...faces, votes: new Uint8Array(faces.labels.length * 7) }, 5, 0)).toEqual(faces.labels);
  });

  it('are what a training learns from, also when it is gone on with', async () => {
    const options = { epochs: 2, batchSize: 500, selectBy: 'last' as const, seed: 1 };
    const train = async (data: LabelledImages, ending = false): Promise<[string, unknown][]> => {
      using model = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 1, threads: 1 });
      if (!ending) {
        await model.fit(data, options);
        return [...(await model.tensors())];
      }
      const stop = new AbortController();
      const runFolder = path.join(folder, 'run');
      await model.fit(data, { ...options, runFolder, signal: stop.signal, onEpoch: () => stop.abort() });
      using other = MiniXception.create({ width: WIDTH, inputSize: SIZE, seed: 7, threads: 1 });
      await other.fit(data, { runFolder, resume: true });
      return [...(await other.tensors())];
    };
    const soft = await train(voted());
    expect(soft).not.toEqual(await train(faces));
    expect(await train(voted(), true)).toEqual(soft);
  });
});
