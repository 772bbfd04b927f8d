/**
 * Import of Keras hdf5 checkpoints of Mini_XCEPTION (github oarriaga/face_classification and networks like it).
 *
 * Layers of one kind are numbered in the order they were made: convolutions are stem 1, stem 2, a shortcut a
 * module, head; batch norms are stem 1, stem 2, then for each module its shortcut's before the main path's two.
 */
import h5wasm from 'h5wasm/node';
import { FerError } from '../errors.js';
import { FER_CLASSES } from '../data/data-set.js';
import type { WidthSpec } from './width.js';
import type { ModelFile } from './metadata.js';
import type { Tensor } from './safetensors.js';

/** @throws {FerError} ERR_FER_MODEL_FORMAT when the layers are not Mini_XCEPTION's. */
export async function readKeras(path: string): Promise<ModelFile> {
  const fail = (reason: string): never => {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} is not a Keras checkpoint of Mini_XCEPTION: ${reason}`, {
      details: { file: path, reason },
    });
  };
  await h5wasm.ready;
  let file: InstanceType<typeof h5wasm.File>;
  try {
    file = new h5wasm.File(path, 'r');
  } catch (cause) {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} is not a readable HDF5 file`, { cause, details: { file: path } });
  }
  try {
    const root = (file.get('model_weights') ?? file) as InstanceType<typeof h5wasm.Group>;
    const layers = (prefix: string): string[] =>
      root
        .keys()
        .filter((name) => new RegExp(`^${prefix}(_\\d+)?$`).test(name))
        .sort((a, b) => Number(a.match(/_(\d+)$/)?.[1] ?? 0) - Number(b.match(/_(\d+)$/)?.[1] ?? 0));
    const read = (layer: string, weight: string): Tensor => {
      const find = (group: InstanceType<typeof h5wasm.Group>): Tensor | undefined => {
        for (const key of group.keys()) {
          const item = group.get(key);
          if (item instanceof h5wasm.Dataset && key.replace(/:0$/, '') === weight)
            return { shape: item.shape ?? [], data: Float32Array.from(item.value as Float32Array) };
          const below = item instanceof h5wasm.Group ? find(item) : undefined;
          if (below) return below;
        }
        return undefined;
      };
      return find(root.get(layer) as InstanceType<typeof h5wasm.Group>) ?? fail(`layer ${layer} has no weight ${weight}`);
    };

    const convolutions = layers('conv2d');
    const norms = layers('batch_normalization');
    const separables = layers('separable_conv2d');
    const modules = convolutions.length - 3;
    if (modules < 1 || separables.length !== 2 * modules || norms.length !== 2 + 3 * modules)
      fail(
        `it has ${convolutions.length} convolutions, ${separables.length} separable convolutions and ${norms.length} batch norms; four modules have 7, 8 and 14`,
      );

    const tensors = new Map<string, Tensor>();
    const convolution = (name: string, layer: string): Tensor => {
      const tensor = toOihw(read(layer, 'kernel'));
      tensors.set(`${name}.weight`, tensor);
      return tensor;
    };
    const norm = (name: string, layer: string): void => {
      tensors.set(`${name}.weight`, read(layer, 'gamma'));
      tensors.set(`${name}.bias`, read(layer, 'beta'));
      tensors.set(`${name}.running_mean`, read(layer, 'moving_mean'));
      tensors.set(`${name}.running_var`, read(layer, 'moving_variance'));
    };
    const width: WidthSpec = { stem: [0, 0], modules: [] };
    for (const i of [0, 1]) {
      width.stem[i] = convolution(`stem.conv${i + 1}`, convolutions[i]).shape[0];
      norm(`stem.bn${i + 1}`, norms[i]);
    }
    for (let i = 0; i < modules; i++) {
      const module = `modules.${i}`;
      for (const part of [1, 2]) {
        const layer = separables[2 * i + part - 1];
        const [h, w, channels] = read(layer, 'depthwise_kernel').shape;
        // [h, w, channels, 1] becomes [channels, 1, h, w]: the same as OIHW of [h, w, 1, channels].
        tensors.set(
          `${module}.separable${part}.depthwise.weight`,
          toOihw({ shape: [h, w, 1, channels], data: read(layer, 'depthwise_kernel').data }),
        );
        tensors.set(`${module}.separable${part}.pointwise.weight`, toOihw(read(layer, 'pointwise_kernel')));
        norm(`${module}.bn${part}`, norms[2 + 3 * i + part]);
      }
      width.modules.push(convolution(`${module}.shortcut`, convolutions[2 + i]).shape[0]);
      norm(`${module}.shortcut_bn`, norms[2 + 3 * i]);
    }
    const head = convolution('head', convolutions[convolutions.length - 1]);
    tensors.set('head.bias', read(convolutions[convolutions.length - 1], 'bias'));
    const count = head.shape[0];
    return {
      metadata: {
        width,
        classes: count === FER_CLASSES.length ? [...FER_CLASSES] : Array.from({ length: count }, (_, i) => `class ${i}`),
        inputSize: inputSize(file.attrs.model_config?.value) ?? fail('its model_config names no square grey input'),
        normalization: 'x/127.5-1',
        source: 'imported from a Keras hdf5 checkpoint',
      },
      tensors,
    };
  } finally {
    file.close();
  }
}

/** Keras kernels are [h, w, in, out]; ours are PyTorch's [out, in, h, w]. */
function toOihw({ shape: [h, w, inputs, outputs], data }: Tensor): Tensor {
  const out = new Float32Array(data.length);
  let at = 0;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) out[((o * inputs + i) * h + y) * w + x] = data[at++];
  return { shape: [outputs, inputs, h, w], data: out };
}

function inputSize(config: unknown): number | undefined {
  const shape = /"batch_(?:input_)?shape": \[null, (\d+), (\d+), 1\]/.exec(String(config));
  return shape && shape[1] === shape[2] ? Number(shape[1]) : undefined;
}
