/** The boundary to the addon: what crosses is checked, nothing waits on the event loop, and threads are few. */
import { readdirSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { syntheticFaces } from '../lib/data/synthetic.js';
import { MiniXception } from '../lib/model.js';
import { native } from '../lib/native.js';
import { residentData } from '../lib/network/resident.js';
import { resolveConfig } from '../lib/training/config.js';
import { NO_TOTALS, openTrainer } from '../lib/training/trainer.js';

const faces = syntheticFaces();
const SMALL = { width: { stem: [4, 4] as [number, number], modules: [8, 8] }, inputSize: faces.size, threads: 1 };
const ROWS = Uint32Array.from({ length: 120 }, (_, i) => i);
const config = resolveConfig({ preset: 'paper', batchSize: 20, epochs: 1 });
const rates = (steps: number): Float32Array => new Float32Array(steps).fill(0.01);

/** A value of the wrong kind where the addon expects one of its own. */
const wrongly = (value: unknown): never => value as never;

describe('arrays and numbers that reach the addon', () => {
  const argument = { code: 'ERR_FER_ARGUMENT' };

  it('are of the type that will be read, and as many as will be read', async () => {
    using model = MiniXception.create(SMALL);
    using data = await residentData(faces);
    using trainer = await openTrainer(model, data, config);
    const { native: network } = model;
    const options = { ...config, classWeights: new Float32Array(), augmentation: config };
    const epoch = (change: object): Promise<unknown> =>
      trainer.trainEpoch({ epoch: 0, indices: ROWS, learningRates: rates(6), from: NO_TOTALS, ...change }, () => {});
    const pixels = faces.size ** 2;
    const calls: Record<string, [() => unknown, RegExp]> = {
      'split as bytes': [
        () => network.logitsOf(data, wrongly(new Uint8Array(8)), false),
        /expected a Uint32Array, got Uint8Array, for indices/,
      ],
      'split of 8-byte numbers': [() => network.logitsOf(data, wrongly(new Float64Array(8)), false), /got Float64Array, for indices/],
      'rows that are not there': [() => network.logitsOf(data, Uint32Array.of(faces.labels.length), false), /expected rows below/],
      'images as floats': [
        () => network.logits(wrongly(new Float32Array(pixels)), 1),
        /expected a Uint8Array, got Float32Array, for images/,
      ],
      'images without end': [() => network.logits(new Uint8Array(pixels), 2), /for 2 images/],
      'half an image': [() => network.logits(new Uint8Array(pixels), 0.5), /expected a whole number from 0/],
      'a picture of another size': [() => network.explain(new Uint8Array(4), { layer: 'input', target: 0, guided: false }), /for an image/],
      'no options': [() => network.explain(new Uint8Array(pixels), wrongly(undefined)), /expected an object, got undefined, for options/],
      'a tensor as bytes': [
        () => network.setTensors([{ name: 'head.bias', data: wrongly(new Uint8Array(7)) }]),
        /expected a Float32Array, got Uint8Array, for head\.bias/,
      ],
      'a tensor in doubles': [() => network.setTensors([{ name: 'head.bias', data: wrongly(new Float64Array(7)) }]), /got Float64Array/],
      'labels of 16 bits': [() => new (native().DataSet)(1, 2).append(new Uint8Array(4), wrongly(new Uint16Array(1))), /for labels/],
      'more images than said': [() => new (native().DataSet)(1, 2).append(new Uint8Array(8), new Uint8Array(2)), /at most 1 images/],
      'rows of an epoch as bytes': [() => epoch({ indices: new Uint8Array(8) }), /for indices/],
      'rates in doubles': [() => epoch({ learningRates: new Float64Array(6) }), /for learningRates/],
      'steps before the first': [() => epoch({ from: { ...NO_TOTALS, step: -1_000_000 } }), /got -1000000, for step/],
      'no step at all': [() => epoch({ from: { ...NO_TOTALS, step: null } }), /got null, for step/],
      'a loss that is none': [() => epoch({ from: { ...NO_TOTALS, lossSum: NaN } }), /expected a finite number, got NaN, for lossSum/],
      'labels of an epoch for some images': [() => epoch({ labels: new Uint8Array(3) }), /expected 3500 labels, got 3, for an epoch/],
      'labels of an epoch that no class has': [
        () => epoch({ labels: new Uint8Array(faces.labels.length).fill(7) }),
        /expected labels below 7, got 7/,
      ],
      'labels of an epoch as numbers of 16 bits': [() => epoch({ labels: new Uint16Array(faces.labels.length) }), /for labels/],
      ...Object.fromEntries(
        [
          ['balancedSampling', -0.1, 1],
          ['balancedSampling', 1.5, 1],
          ['rareAugmentation', -1, 4],
          ['rareAugmentation', 4.5, 4],
        ].map(([name, value, most]): [string, [() => unknown, RegExp]] => [
          `${name} of ${value}`,
          [
            () => new (native().Trainer)(network, data, { ...options, [name]: value }).open([]),
            new RegExp(`expected a number from 0 to ${most}, got ${value}[.0]*, for ${name}`),
          ],
        ]),
      ),
      'an option that is missing': [
        () => new (native().Trainer)(network, data, wrongly({ ...options, momentum: undefined })),
        /expected a finite number, got undefined, for momentum/,
      ],
      'weights of classes in doubles': [
        () => new (native().Trainer)(network, data, { ...options, classWeights: wrongly(new Float64Array(7)) }),
        /for classWeights/,
      ],
      'an object of another class': [() => new (native().Trainer)(wrongly(data), data, options), /expected a native Model, for model/],
      'an object that only looks like one': [
        () => new (native().Trainer)(Object.create(network) as typeof network, data, options),
        /expected a native Model, for model/,
      ],
      'a chunk as text': [() => new (native().CsvParser)({ skipBadRows: false }).push(wrongly('emotion')), /for chunk/],
      'a spec without modules': [() => native().describe(wrongly({ stem: [4, 4], classes: 7, inputSize: 48 })), /for width\.modules/],
    };
    for (const [name, [call, message]] of Object.entries(calls))
      await expect(Promise.resolve().then(call), name).rejects.toMatchObject({
        ...argument,
        message: expect.stringMatching(message) as string,
      });
    // The network is as good as before.
    await expect(network.logits(faces.images.subarray(0, pixels), 1)).resolves.toHaveLength(7);
  });

  it('a data set that is not full yet is read by nobody', async () => {
    using model = MiniXception.create(SMALL);
    const data = new (native().DataSet)(2, faces.size);
    data.append(faces.images.subarray(0, faces.size ** 2), faces.labels.subarray(0, 1));
    await expect(Promise.resolve().then(() => model.native.logitsOf(data, Uint32Array.of(0), false))).rejects.toMatchObject(argument);
    data.append(faces.images.subarray(0, faces.size ** 2), faces.labels.subarray(0, 1));
    await expect(model.native.logitsOf(data, Uint32Array.of(1), false)).resolves.toHaveLength(7);
  });

  it('weights are taken as they were when they were given', async () => {
    using model = MiniXception.create({ ...SMALL, seed: 4 });
    using other = MiniXception.create({ ...SMALL, seed: 5 });
    const [given, expected] = [await model.tensors(), await model.tensors()];
    const taken = other.setTensors(given);
    for (const { data } of given.values()) data.fill(7);
    await taken;
    expect(await other.tensors()).toEqual(expected);
  });

  it('memory that is not there is an error, not the end of the process', () => {
    expect(() => new (native().DataSet)(4_000_000_000, 512)).toThrow(
      expect.objectContaining({
        code: 'ERR_FER_OUT_OF_MEMORY',
        message: expect.stringMatching(/4000000000 images needs 1048576000 MB/) as string,
      }),
    );
  });
});

describe('the event loop', () => {
  it('runs between awaited predictions', async () => {
    using model = MiniXception.create(SMALL);
    const pixels = { pixels: faces.images.subarray(0, faces.size ** 2), width: faces.size, height: faces.size };
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const end = performance.now() + 300;
    while (performance.now() < end) await model.predict(pixels);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });

  it('is answered between the steps of a training, which changes nothing', async () => {
    const pixels = faces.images.subarray(0, faces.size ** 2);
    const train = async (during?: (model: MiniXception, running: () => boolean) => Promise<void>): Promise<unknown> => {
      using model = MiniXception.create({ ...SMALL, seed: 2 });
      using data = await residentData(faces);
      using trainer = await openTrainer(model, data, { ...config, batchSize: 40 });
      const indices = Uint32Array.from({ length: 40 * 200 }, (_, i) => i % faces.labels.length);
      let running = true;
      const epoch = trainer
        .trainEpoch({ epoch: 0, indices, learningRates: rates(200), from: NO_TOTALS }, () => {})
        .finally(() => (running = false));
      await during?.(model, () => running);
      const { lossSum } = await epoch;
      return [lossSum, [...(await model.tensors())].map(([name, { data }]) => [name, [...data]])];
    };
    let answers = 0;
    const seen = new Set<string>();
    const disturbed = await train(async (model, running) => {
      while (running()) {
        const [logits, tensors] = await Promise.all([
          model.native.logits(pixels, 1),
          model.tensors(),
          model.explain({ pixels, width: faces.size, height: faces.size }),
        ]);
        expect(logits).toHaveLength(7);
        seen.add(String(tensors.get('head.bias')!.data[0]));
        answers++;
      }
    });
    expect(answers).toBeGreaterThan(5);
    expect(seen.size).toBeGreaterThan(3); // states of different steps
    expect(disturbed).toEqual(await train());
  });

  it('hands a thousand pending calls to a few threads, each model its turn', async () => {
    const threads = (): number => readdirSync('/proc/self/task').length;
    using one = MiniXception.create(SMALL);
    using other = MiniXception.create(SMALL);
    const image = faces.images.subarray(0, faces.size ** 2);
    await Promise.all([one, other].map((model) => model.native.logits(image, 1)));
    const before = threads();
    let done = 0;
    const pending = Array.from({ length: 2000 }, () => one.native.logits(image, 1).then(() => done++));
    await other.native.logits(image, 1);
    expect(done).toBeLessThan(1000);
    expect(threads() - before).toBeLessThanOrEqual(8);
    await Promise.all(pending);
    expect(done).toBe(2000);
    await setImmediate();
  });

  it('is free to end while a trainer or a model waits to be collected', async () => {
    const model = MiniXception.create(SMALL);
    const logits = model.native.logits(faces.images.subarray(0, faces.size ** 2), 1);
    model.dispose();
    await expect(logits).resolves.toHaveLength(7);
    await setTimeout(1);
  });
});
