/** Keras hdf5 files as Keras 2 writes them, from a network of ours: for tests of the import and for the fuzzer. */
import h5wasm from 'h5wasm/node';

const pair = (n) => [n, n];

/**
 * The layers of a model_config, from the layers of the plan, and which of the plan's tensors are their weights.
 * @returns {{ config: { class_name: string, config: { layers: any[], input_layers: any, output_layers: any } }, weights: Map<string, [string, string][]> }}
 */
export function kerasConfig(plan, inputSize) {
  const layers = [
    { class_name: 'InputLayer', name: 'input_1', config: { batch_input_shape: [null, inputSize, inputSize, 1] }, inbound_nodes: [] },
  ];
  const weights = new Map();
  const numbers = {};
  const of = new Map([[0, 'input_1']]);
  const channels = new Map(plan.tensors.map(({ name, shape }) => [name, shape[0]]));
  const add = (class_name, kind, { inputs, output }, config) => {
    const name = `${kind}_${(numbers[kind] = (numbers[kind] ?? 0) + 1)}`;
    const inbound_nodes = [inputs.map((value) => [of.get(value), 0, 0, {}])];
    layers.push({ class_name, name, config: { name, ...config }, inbound_nodes });
    of.set(output, name);
    return name;
  };
  const window = (layer) => ({
    kernel_size: pair(layer.kernel),
    strides: pair(layer.stride),
    padding: layer.padding,
    dilation_rate: [1, 1],
    data_format: 'channels_last',
    activation: 'linear',
  });
  for (const [i, layer] of plan.layers.entries()) {
    if (layer.kind === 'batchNorm') {
      const names = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
      const config = { axis: -1, epsilon: 0.001, momentum: 0.99, center: true, scale: true };
      const name = add('BatchNormalization', 'batch_normalization', layer, config);
      weights.set(
        name,
        names.map((weight, at) => [weight, layer.tensors[at]]),
      );
    } else if (layer.kind === 'relu') add('Activation', 'activation', layer, { activation: 'relu' });
    else if (layer.kind === 'add') add('Add', 'add', layer, {});
    else if (layer.kind === 'averagePool') add('GlobalAveragePooling2D', 'global_average_pooling2d', layer, {});
    else if (layer.kind === 'maxPool')
      add('MaxPooling2D', 'max_pooling2d', layer, {
        pool_size: pair(layer.kernel),
        strides: pair(layer.stride),
        padding: layer.padding,
        data_format: 'channels_last',
      });
    else if (layer.depthwise) {
      const pointwise = plan.layers[i + 1];
      const name = add(
        'SeparableConv2D',
        'separable_conv2d',
        { inputs: layer.inputs, output: pointwise.output },
        {
          ...window(layer),
          filters: channels.get(pointwise.tensors[0]),
          depth_multiplier: 1,
          use_bias: false,
        },
      );
      weights.set(name, [
        ['depthwise_kernel', layer.tensors[0]],
        ['pointwise_kernel', pointwise.tensors[0]],
      ]);
    } else if (!plan.layers[i - 1]?.depthwise) {
      const filters = channels.get(layer.tensors[0]);
      const name = add('Conv2D', 'conv2d', layer, { ...window(layer), filters, use_bias: layer.tensors.length > 1 });
      weights.set(
        name,
        layer.tensors.map((tensor, at) => [['kernel', 'bias'][at], tensor]),
      );
    }
  }
  const last = { inputs: [plan.layers.at(-1).output], output: -1 };
  const end = add('Activation', 'predictions', last, { activation: 'softmax' });
  return { config: { class_name: 'Model', config: { layers, input_layers: [['input_1', 0, 0]], output_layers: [[end, 0, 0]] } }, weights };
}

/** [out, in, h, w] as Keras has it: [h, w, in, out]; a depthwise [channels, 1, h, w] is [h, w, channels, 1]. */
function theirs({ shape, data }, depthwise) {
  if (shape.length !== 4) return { shape, data };
  const [outs, ins, h, w] = shape;
  const out = new Float32Array(data.length);
  let at = 0;
  for (let o = 0; o < outs; o++) for (let i = 0; i < ins; i++) for (let t = 0; t < h * w; t++) out[(t * ins + i) * outs + o] = data[at++];
  return { shape: depthwise ? [h, w, outs, ins] : [h, w, ins, outs], data: out };
}

/** Writes the file. `modelConfig`: what stands as model_config, any text; undefined: none. */
export async function writeKeras(file, modelConfig, weights, tensors) {
  await h5wasm.ready;
  const h5 = new h5wasm.File(file, 'w');
  if (modelConfig !== undefined) h5.create_attribute('model_config', modelConfig);
  const root = h5.create_group('model_weights');
  for (const [layer, list] of weights) {
    const group = root.create_group(layer).create_group(`${layer}_1`);
    for (const [name, tensor] of list) {
      const { shape, data } = theirs(tensors.get(tensor), name === 'depthwise_kernel');
      group.create_dataset({ name: `${name}:0`, data, shape });
    }
  }
  h5.close();
}
