/** The import of Keras files: every part of the file's own model_config is honoured, or refused by the layer's name. */
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../../lib/data/data-set.js';
import { MiniXception } from '../../lib/model.js';
import { native } from '../../lib/native.js';
import type { WidthSpec } from '../../lib/network/width.js';
import { kerasConfig, writeKeras, type KerasConfig, type KerasLayer } from './keras-file.mjs';

const WIDTH: WidthSpec = { stem: [3, 4], modules: [5, 6] };
const SIZE = 20;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-keras-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plan = (width = WIDTH) => native().describe({ ...width, classes: 7, inputSize: SIZE });

/** A Keras file of a network of ours, with something else in its model_config. */
async function kerasFile(name: string, change: (config: KerasConfig) => unknown = () => {}, width = WIDTH): Promise<string> {
  using model = MiniXception.create({ width, inputSize: SIZE, seed: 4 });
  const { config, weights } = kerasConfig(plan(width), SIZE);
  const changed = change(config);
  const file = path.join(folder, name);
  await writeKeras(file, typeof changed === 'string' ? changed : JSON.stringify(config), weights, await model.tensors());
  return file;
}
const layerOf = ({ config }: KerasConfig, name: string): KerasLayer => config.layers.find((layer) => layer.name === name)!;
const set = (name: string, values: object) => (config: KerasConfig) => void Object.assign(layerOf(config, name).config, values);

it.each([
  ['two modules', WIDTH],
  ['one module', { stem: [2, 5], modules: [3] } as WidthSpec],
  ['seven modules, two of one width', { stem: [6, 6], modules: [4, 5, 6, 6, 7, 3, 2] } as WidthSpec],
])('finds every tensor of %s again, in our layout, and the width', async (_, width) => {
  using model = MiniXception.create({ width, inputSize: SIZE, seed: 4 });
  const tensors = await model.tensors();
  for (const { data } of tensors.values()) data.forEach((_, i) => (data[i] = Math.sin(i * 12.9898 + data.length))); // tell batch norms apart
  const { config, weights } = kerasConfig(plan(width), SIZE);
  const file = path.join(folder, 'keras.hdf5');
  await writeKeras(file, JSON.stringify(config), weights, tensors);
  using imported = await MiniXception.load(file);
  expect(imported.inputSize).toBe(SIZE);
  expect(imported.width).toEqual(width);
  expect([...(await imported.tensors())]).toEqual([...tensors]);
  expect(imported.metadata.source).toContain(
    "taken for granted, because it does not say: pixels as x/127.5-1 and FER2013's order of classes",
  );
});

it('does not depend on the order of the layers in the file', async () => {
  const file = await kerasFile('turned.h5', ({ config }) => void config.layers.reverse());
  using turned = await MiniXception.load(file);
  using plain = await MiniXception.load(await kerasFile('plain.h5'));
  expect([...(await turned.tensors())]).toEqual([...(await plain.tensors())]);
});

it('honours biases, epsilon, absent gammas, rescaling, dropout and other layers of the same, as a pass in NumPy has it', async () => {
  const fixture = path.join(import.meta.dirname, '../fixtures/keras');
  const [{ pixels, side, logits }] = JSON.parse(readFileSync(path.join(fixture, 'variants.json'), 'utf8')) as [
    { pixels: number[][]; side: number; logits: number[][] },
  ];
  using model = await MiniXception.load(path.join(fixture, 'all-of-these.h5'));
  expect(model.width).toEqual(WIDTH);
  const data: LabelledImages = {
    name: 'noise',
    source: 'memory',
    synthetic: true,
    classes: [...model.classes],
    size: side,
    images: Uint8Array.from(pixels.flat()),
    labels: new Uint8Array(pixels.length),
    splits: new Map([['Test', Uint32Array.from(pixels, (_, row) => row)]]),
    notes: [],
    badRows: [],
  };
  const ours = await model.logitsOf(data, 'Test');
  const worst = Math.max(...logits.flat().map((value, i) => Math.abs(value - ours[i])));
  console.log(`largest difference from NumPy's logits ${worst}`);
  expect(worst).toBeLessThan(1e-5);
  expect(model.metadata.source).toContain(
    'its rescaling of pixels is in the first convolution; its momentum of batch norms, 0.9, is left out',
  );
});

/** Takes a layer out, or puts one behind another. */
const without = (name: string) => (config: KerasConfig) => {
  const { inbound_nodes } = layerOf(config, name);
  config.config.layers = config.config.layers.filter((layer) => layer.name !== name);
  for (const layer of config.config.layers)
    for (const input of layer.inbound_nodes.flat()) if (input[0] === name) input[0] = inbound_nodes[0][0][0];
};
const behind = (name: string, class_name: string, values: object) => (config: KerasConfig) => {
  for (const layer of config.config.layers) for (const input of layer.inbound_nodes.flat()) if (input[0] === name) input[0] = 'extra';
  config.config.layers.push({ class_name, name: 'extra', config: { ...values }, inbound_nodes: [[[name, 0, 0, {}]]] });
};
const all =
  (...changes: ((config: KerasConfig) => unknown)[]) =>
  (config: KerasConfig) => {
    for (const change of changes) change(config);
  };

describe('what differs is refused by name:', () => {
  it.each<[string, (config: KerasConfig) => unknown, string]>([
    [
      'a last module that neither strides nor pools',
      all(set('conv2d_4', { strides: [1, 1] }), without('max_pooling2d_2')),
      'layer conv2d_4 (modules.1.shortcut here): strides 1x1, expected 2x2',
    ],
    ['a pool of 2x2', set('max_pooling2d_2', { pool_size: [2, 2] }), 'layer max_pooling2d_2: kernel 2x2, expected 3x3'],
    ['a pool that is not padded', set('max_pooling2d_1', { padding: 'valid' }), 'layer max_pooling2d_1: padding valid, expected same'],
    ['a padded stem', set('conv2d_2', { padding: 'same' }), 'layer conv2d_2 (stem.conv2 here): padding same, expected valid'],
    [
      'dilation',
      set('separable_conv2d_3', { dilation_rate: [2, 2] }),
      'layer separable_conv2d_3 (modules.1.separable1.depthwise here): dilation 2x2, expected 1x1',
    ],
    ['groups', set('conv2d_5', { groups: 2 }), 'layer conv2d_5 (head here): groups 2, expected 1'],
    [
      'another order of data',
      set('conv2d_1', { data_format: 'channels_first' }),
      'layer conv2d_1 (stem.conv1 here): data_format channels_first',
    ],
    ['an activation', set('activation_3', { activation: 'elu' }), 'comes layer activation_3, activation elu; expected the activation relu'],
    [
      'relu within a convolution',
      set('conv2d_1', { activation: 'relu' }),
      'comes layer conv2d_1, activation relu; expected a batch norm (stem.bn1 here)',
    ],
    [
      'a batch norm over another axis',
      set('batch_normalization_2', { axis: [1] }),
      'layer batch_normalization_2 (stem.bn2 here): axis 1, expected channels',
    ],
    [
      'a layer more',
      behind('add_1', 'LayerNormalization', {}),
      'after layer add_1 comes layer extra, a LayerNormalization; expected a convolution of 1x1',
    ],
    ['a layer at the end', behind('predictions_1', 'Flatten', {}), 'layer extra: a Flatten that Mini_XCEPTION does not have'],
    ['a layer less', without('batch_normalization_5'), 'expected a batch norm (modules.0.bn2 here)'],
    [
      'another merge',
      (config) => void (layerOf(config, 'add_2').class_name = 'Average'),
      'comes layer add_2, an Average; expected an addition',
    ],
    ['channels that do not fit', set('separable_conv2d_2', { filters: 9 }), 'filters 9, expected 5, as layer conv2d_3 has'],
    [
      'colour',
      set('input_1', { batch_input_shape: [null, 20, 20, 3] }),
      'layer input_1: input [null,20,20,3], expected [null, side, side, 1]',
    ],
    ['no side', set('input_1', { batch_input_shape: [null, null, null, 1] }), 'layer input_1: input [null,null,null,1]'],
    [
      'a layer used twice',
      ({ config }) => void config.layers[3].inbound_nodes.push([['input_1', 0, 0, {}]]),
      'layer activation_1 is called 2 times',
    ],
    ['a circle', ({ config }) => void (config.layers[1].inbound_nodes[0][0][0] = 'add_2'), 'which is not there or reads it in turn'],
    ['two outputs', ({ config }) => void (config.output_layers = [['predictions', 0, 0], ['add_1', 0, 0]]), 'it has 2 outputs; expected one'], // prettier-ignore
    [
      'an epsilon that makes roots of nothing',
      set('batch_normalization_1', { epsilon: -1.5 }),
      'layer batch_normalization_1: epsilon -1.5 with the variance 1',
    ],
    ['no JSON', () => '{', 'its model_config is not JSON'],
    ['no layers', () => '{"class_name":"Model","config":{"layers":[]}}', 'model_config.config.layers: expected a list'],
    [
      'a chain',
      ({ config }) => JSON.stringify({ class_name: 'Sequential', config }),
      'after layer activation_2 comes nothing more; expected a separable or depthwise convolution of 3x3 (modules.0.separable1.depthwise here)',
    ],
  ])('%s', async (_, change, reason) => {
    await expect(MiniXception.load(await kerasFile('differs.h5', change))).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining('differs.h5 is not a Keras checkpoint of Mini_XCEPTION: ') as string,
      details: { reason: expect.stringContaining(reason) as string },
    });
  });

  it('weights of other channels than the layer says', async () => {
    const file = await kerasFile('lies.h5', set('conv2d_1', { filters: 8 }));
    await expect(MiniXception.load(file)).rejects.toThrow(
      'lies.h5: expected shape [8, 1, 3, 3], got [3, 1, 3, 3], for tensor stem.conv1.weight',
    );
  });

  it('weights without a model_config, with what to do', async () => {
    const file = path.join(folder, 'weights.h5');
    await writeKeras(file, undefined, new Map(), new Map());
    await expect(MiniXception.load(file)).rejects.toThrow('it holds weights without a model_config, which says strides, padding and pooling; save the whole model in Keras: model.save("model.h5")'); // prettier-ignore
  });

  it('a file that is cut short', async () => {
    const file = await kerasFile('cut.h5');
    truncateSync(file, 9000);
    await expect(MiniXception.load(file)).rejects.toThrow('cut.h5 is not a readable HDF5 file: it is damaged or cut short; copy it again');
  });
});
