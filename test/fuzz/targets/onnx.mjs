/** ONNX files: bytes changed anywhere, and the texts beside the graph. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { MiniXception } from '../../../dist/index.js';
import { decodeModel, encodeModel } from '../../../dist/onnx/schema.js';
import { mutatedBytes, mutatedJson } from '../mutations.mjs';
import { checkModel, smallModel, using } from '../small.mjs';

/** Its metadata as one value, so that any of it changes. */
function withMetadata(bytes, metadata) {
  const model = decodeModel(bytes);
  if (Array.isArray(metadata)) model.metadataProps = metadata.map((each) => ({ key: String(each?.key), value: String(each?.value) }));
  return Buffer.from(encodeModel(model));
}

export const onnx = {
  name: 'onnx',
  async prepare(folder) {
    const seeds = [];
    for (const [i, options] of [{}, { foldBatchNorm: true, fp16: true }].entries()) {
      const file = path.join(folder, `seed-${i}.onnx`);
      await using(smallModel(), async (model) => writeFile(file, await model.toOnnx(options)));
      seeds.push(await readFile(file));
    }
    return fc.oneof(
      mutatedBytes(seeds),
      ...seeds.map((seed) => mutatedJson([decodeModel(seed).metadataProps]).map((changed) => withMetadata(seed, changed))),
    );
  },
  async run(bytes, folder) {
    const file = path.join(folder, 'model.onnx');
    await writeFile(file, bytes);
    await using(await MiniXception.load(file, { threads: 1 }), checkModel);
  },
};
