// Model files to examples/pytorch/mini_xception.py and back: the same logits there, the same bits after it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MiniXception, readModelFile } from '../../../dist/index.js';
import { drawnModel, drawnPixels, logitsOf } from '../onnx/models.mjs';
import { PACKAGED, privateTest } from '../private-test.mjs';

const BOUND = 1e-4;
const COUNT = 16;
const FORMS = [
  ['narrow', { width: 'narrow' }],
  ['wide', { width: 'wide' }],
  ['narrow', { width: 'narrow', inputSize: 47 }],
  ['5,6:7,9,11', { width: { stem: [5, 6], modules: [7, 9, 11] }, inputSize: 33, classes: ['yes', 'no'] }],
];

export async function check({ folder, python, data }) {
  const file = (name) => path.join(folder, name);
  const write = (name, content) => (writeFileSync(file(name), content), file(name));
  const cases = [];
  const add = async (about, model, size, images, count) => {
    const i = cases.length;
    await model.save(file(`${i}.safetensors`));
    const logits = write(`${i}.logits`, await logitsOf(model, images, count));
    const written = ['back', 'state', 'half', 'tuned'].map((kind) => [kind, file(`${i}-${kind}.safetensors`)]);
    cases.push({ ...about, size, model: file(`${i}.safetensors`), pixels: write(`${i}.pixels`, images), logits, shape: [count, 1, size, size], ...Object.fromEntries(written) }); // prettier-ignore
    model.dispose();
  };
  for (const [i, [width, options]] of FORMS.entries()) {
    const model = await drawnModel(MiniXception, options, i + 1);
    await add({ network: `\`${width}\`` }, model, model.inputSize, drawnPixels(COUNT, model.inputSize, 1, i), COUNT);
  }
  const test = data && (await privateTest(data));
  for (const name of PACKAGED) {
    const images = test?.images ?? drawnPixels(COUNT, 48, 1, 1);
    await add({ network: `the package's \`${name}\`` }, await MiniXception.pretrained(name), 48, images, images.length / 48 ** 2);
  }
  const { version, found } = python(new URL('check.py', import.meta.url), write('cases.json', JSON.stringify(cases)));

  const wrong = [];
  const roundTrips = [];
  for (const [i, each] of cases.entries()) {
    const { difference, equal, tunedLogits } = found[i];
    const [given, back, state, half] = await Promise.all([each.model, each.back, each.state, each.half].map((at) => readModelFile(at)));
    const same = (other) => [...given.tensors].every(([name, { data: values }]) => Buffer.compare(Buffer.from(values.buffer), Buffer.from(other.tensors.get(name).data.buffer)) === 0); // prettier-ignore
    assert.deepEqual(back.metadata, given.metadata);
    assert.deepEqual(state.metadata.width, given.metadata.width);
    // What a step of training in PyTorch made of it predicts here what it predicts there.
    const tuned = await MiniXception.load(each.tuned);
    const size = each.size ** 2;
    const ours = await logitsOf(tuned, new Uint8Array(readFileSync(each.pixels)).subarray(0, COUNT * size), COUNT);
    tuned.dispose();
    const tunedDifference = Math.max(...ours.map((value, at) => Math.abs(value - tunedLogits[at])));
    const rounding = Math.max(
      ...[...given.tensors].map(
        ([name, { data: values }]) =>
        values.reduce((most, value, at) => Math.max(most, Math.abs(value - half.tensors.get(name).data[at]) / Math.max(Math.abs(value), 2 ** -14)), 0), // prettier-ignore
      ),
    );
    const [n] = each.shape;
    const exact = same(back) && same(state);
    if (!exact) wrong.push(`${each.network}: other tensors came back`);
    if (difference > BOUND || tunedDifference > BOUND) wrong.push(`${each.network}: logits differ by ${difference}, ${tunedDifference}`);
    if (equal !== n) wrong.push(`${each.network}: ${n - equal} of ${n} predictions differ`);
    if (rounding > 2 ** -10) wrong.push(`${each.network}: halves came back with an error of ${rounding}`);
    roundTrips.push({ network: each.network, size: each.size, n, difference, equal, exact, tunedDifference });
  }
  return {
    version,
    roundTrips,
    wrong,
    lines: roundTrips.map(
      ({ network, size, n, difference, equal, exact, tunedDifference }) =>
        `${network} at ${size}: ${equal} of ${n} predictions equal, largest difference of logits ${difference.toExponential(1)}; ` +
        `back ${exact ? 'bit for bit' : 'CHANGED'}; after a step in PyTorch ${tunedDifference.toExponential(1)}`,
    ),
  };
}
