// Exports networks of many forms with every option, and hands them to check.py with the pixels and logits of this package.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MiniXception, readModelFile } from '../../../dist/index.js';
import { PACKAGED, privateTest } from '../private-test.mjs';
import { drawnModel, drawnPixels, logitsOf } from './models.mjs';

/** Largest difference of logits that rounding explains; half precision has 11 bits. */
const BOUND = 1e-4;
const BOUND_HALF = 0.2;

const CUSTOM = { stem: [5, 6], modules: [7, 9, 11] };
const FORMS = [
  ['narrow', { width: 'narrow' }],
  ['wide', { width: 'wide' }],
  ['narrow', { width: 'narrow', inputSize: 64 }],
  ['narrow', { width: 'narrow', inputSize: 47 }],
  ['5,6:7,9,11', { width: CUSTOM }],
  ['5,6:7,9,11', { width: CUSTOM, inputSize: 33 }],
  ['5,6:7,9,11', { width: CUSTOM, inputSize: 8, classes: ['yes', 'no'] }],
  ['1,1:1', { width: { stem: [1, 1], modules: [1] }, inputSize: 21 }],
  ['3,4:5,6,7,8,9,10', { width: { stem: [3, 4], modules: [5, 6, 7, 8, 9, 10] }, inputSize: 97 }],
];
const VARIANTS = [
  {},
  { foldBatchNorm: true },
  { softmax: true },
  { input: 'rgb' },
  { uint8: true },
  { input: 'rgb', uint8: true, foldBatchNorm: true, softmax: true },
  { fp16: true },
  { fp16: true, foldBatchNorm: true },
  ...Array.from({ length: 13 }, (_, i) => ({ opset: 11 + i })),
];
const BATCHES = [1, 64];

const told = (options) =>
  Object.entries(options)
    .map(([key, value]) => (value === true ? key : `${key} ${value}`))
    .join(', ') || 'defaults';

/** Grey images as the channels of an input that has `channels`: all the same. */
function inChannels(images, count, channels) {
  const each = images.length / count;
  const out = new Uint8Array(images.length * channels);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < channels; c++) out.set(images.subarray(i * each, (i + 1) * each), (i * channels + c) * each);
  return out;
}

export async function check({ folder, python, data }) {
  const cases = [];
  const imported = [];
  const file = (name, bytes) => {
    const at = path.join(folder, name);
    writeFileSync(at, bytes);
    return at;
  };
  for (const [form, [width, options]] of FORMS.entries()) {
    const model = await drawnModel(MiniXception, options, form + 1);
    const size = model.inputSize;
    for (const count of BATCHES) {
      const images = drawnPixels(count, size, 1, form);
      const logits = file(`${form}-${count}.logits`, await logitsOf(model, images, count));
      for (const [v, variant] of VARIANTS.entries()) {
        // A batch of one by a graph that takes no other; every opset once a form.
        if (variant.opset !== undefined && count > 1) continue;
        const onnx = file(`${form}-${v}-${count}.onnx`, await model.toOnnx({ ...variant, dynamicBatch: count > 1 }));
        const channels = variant.input === 'rgb' ? 3 : 1;
        const pixels = file(`${form}-${count}-${channels}.pixels`, inChannels(images, count, channels));
        imported.push(await comesBack(model, onnx, variant));
        cases.push({ onnx, pixels, logits, shape: [count, channels, size, size], width, size, options: variant });
      }
    }
    model.dispose();
  }
  const images = await privateTests(data, file);
  const { parity, predictions } = python(new URL('check.py', import.meta.url), file('cases.json', JSON.stringify({ cases, ...images })));

  const wrong = imported.filter(({ exact, kind }) => !exact && kind === 'exact').map(({ onnx }) => `${onnx} came back with other weights`);
  const back = imported.filter(({ kind }) => kind === 'exact');
  const groups = new Map();
  for (const [i, { width, size, options, shape }] of cases.entries()) {
    const { difference } = parity[i];
    const half = options.fp16 ?? false;
    if (!(difference <= (half ? BOUND_HALF : BOUND))) wrong.push(`${width} at ${size}, batch ${shape[0]}, ${told(options)}: ${difference}`);
    const key = JSON.stringify([width, size, half]);
    const group = groups.get(key) ?? { width, size, fp16: half, cases: 0, difference: 0 };
    groups.set(key, { ...group, cases: group.cases + 1, difference: Math.max(group.difference, difference) });
  }
  const table = [...groups.values()];
  for (const { model, options, equal, n } of predictions)
    if (equal !== n && !options.fp16) wrong.push(`${model}, ${told(options)}: ${n - equal} of ${n} PrivateTest predictions differ`);
  const shown = ({ width, size, fp16, cases: count, difference }) =>
    `${width.padEnd(18)} ${String(size).padStart(3)} px  ${fp16 ? 'fp16' : 'fp32'}  ${String(count).padStart(2)} files, batch 1 and 64: largest difference ${difference.toExponential(1)}`;
  return {
    parity: table,
    imported: { files: back.length, exact: back.filter(({ exact }) => exact).length },
    predictions,
    wrong,
    lines: [
      `${cases.length} files passed onnx.checker with shapes inferred`,
      ...table.map(shown),
      `${back.filter(({ exact }) => exact).length} of ${back.length} files in full precision, batch norms apart, are read back bit for bit`,
      ...predictions.map(
        ({ model, options, equal, n, difference }) =>
          `${model}, PrivateTest, ${told(options)}: ${equal} of ${n} predictions equal, largest difference ${difference.toExponential(1)}`,
      ),
      ...(data === undefined ? ['no --data: the predictions on PrivateTest were not compared'] : []),
    ],
  };
}

/** Whether a file read back has the very weights; in half precision or folded it cannot. */
async function comesBack(model, onnx, { fp16, foldBatchNorm }) {
  const [ours, { tensors, metadata }] = await Promise.all([model.tensors(), readModelFile(onnx)]);
  const same = ([name, { data: values }]) => Buffer.from(values.buffer).equals(Buffer.from(tensors.get(name).data.buffer));
  const exact = [...ours].every(same) && metadata.classes.join() === model.classes.join() && metadata.inputSize === model.inputSize;
  return { onnx, exact, kind: fp16 || foldBatchNorm ? 'rounded' : 'exact' };
}

/** The packaged models' logits on PrivateTest, and files of theirs. */
async function privateTests(path, file) {
  if (path === undefined) return { tests: [] };
  const { images, n, size } = await privateTest(path);
  const pixels = file('private.pixels', images);
  const tests = [];
  for (const name of PACKAGED) {
    const model = await MiniXception.pretrained(name);
    const logits = file(`${name}.logits`, await logitsOf(model, images, n));
    for (const [v, options] of [{ uint8: true }, { uint8: true, foldBatchNorm: true }, { uint8: true, fp16: true }].entries()) {
      const onnx = file(`${name}-${v}.onnx`, await model.toOnnx({ ...options, dynamicBatch: true }));
      tests.push({ onnx, pixels, logits, shape: [n, 1, size, size], model: name, options });
    }
    model.dispose();
  }
  return { tests };
}
