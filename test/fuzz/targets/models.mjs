/** Model files: safetensors by bytes and by header, Keras checkpoints, and the checkpoint that a run is resumed from. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { MiniXception } from '../../../dist/index.js';
import { native } from '../../../dist/native.js';
import { kerasConfig, writeKeras } from '../../network/keras-file.mjs';
import { mutatedBytes, mutatedJson } from '../mutations.mjs';
import { checkModel, SIZE, smallData, smallModel, using, WIDTH } from '../small.mjs';

const load = async (file) => using(await MiniXception.load(file, { threads: 1 }), checkModel);

/** The parts of a safetensors file: its header as a value, metadata parsed, and the bytes after it. */
function taken(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const metadata = header.__metadata__;
  for (const key of ['network', 'training']) if (metadata[key]) metadata[key] = JSON.parse(metadata[key]);
  return { header, body: bytes.subarray(8 + length) };
}

/** The other way round. */
function together(header, body) {
  const metadata = header?.__metadata__;
  if (metadata !== null && typeof metadata === 'object')
    for (const key of ['network', 'training']) if (metadata[key] !== undefined) metadata[key] = JSON.stringify(metadata[key]);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, body]);
}

const mutatedSafetensors = (seed) => {
  const { header, body } = taken(seed);
  return fc.oneof(
    mutatedBytes([seed]),
    mutatedJson([header]).map((changed) => together(changed, body)),
  );
};

export const safetensors = {
  name: 'safetensors',
  async prepare(folder) {
    const file = path.join(folder, 'seed.safetensors');
    await using(smallModel(), (model) => model.save(file));
    return mutatedSafetensors(await readFile(file));
  },
  async run(bytes, folder) {
    const file = path.join(folder, 'model.safetensors');
    await writeFile(file, bytes);
    await load(file);
  },
};

export const checkpoint = {
  name: 'checkpoint',
  async prepare(folder) {
    const runFolder = path.join(folder, 'seed-run');
    await rm(runFolder, { recursive: true, force: true });
    // Ended within the second epoch, so that there are totals to go on from.
    const ending = new AbortController();
    const onProgress = ({ epoch }) => epoch > 1 && ending.abort();
    const options = { preset: 'paper', epochs: 3, batchSize: 2, runFolder, signal: ending.signal, onProgress };
    await using(smallModel(), (model) => model.fit(smallData(), options));
    const { header, body } = taken(await readFile(path.join(runFolder, 'last.safetensors')));
    // What describes the run, not the tensors: they are the other target's.
    const training = mutatedJson([header.__metadata__.training]);
    this.runFolder = runFolder;
    return training.map((changed) =>
      together({ ...header, __metadata__: { ...structuredClone(header.__metadata__), training: changed } }, body),
    );
  },
  async run(bytes, folder) {
    const runFolder = path.join(folder, 'run');
    await rm(runFolder, { recursive: true, force: true });
    await mkdir(runFolder);
    for (const name of ['config.json', 'best.safetensors', 'metrics.jsonl'])
      await copyFile(path.join(this.runFolder, name), path.join(runFolder, name)).catch(() => {});
    await writeFile(path.join(runFolder, 'last.safetensors'), bytes);
    await using(smallModel(), async (model) => {
      // A hundred thousand epochs are a right answer to a file that says so; a moment of them is enough.
      const { rows } = await model.fit(smallData(), { runFolder, resume: true, signal: AbortSignal.timeout(300) });
      for (const { validationAccuracy } of rows)
        assert.ok(validationAccuracy >= 0 && validationAccuracy <= 1, `an accuracy of ${validationAccuracy}`);
      await checkModel(model);
    });
  },
};

/** The model_config of a small network, and its weights. */
async function kerasSeed() {
  const network = { ...WIDTH, classes: 7, inputSize: SIZE };
  const tensors = await using(smallModel(), (model) => model.tensors());
  return { tensors, ...kerasConfig(native().describe(network), SIZE) };
}

export const keras = {
  name: 'keras',
  async prepare(folder) {
    const file = path.join(folder, 'seed.hdf5');
    const { config, weights, tensors } = await kerasSeed();
    await writeKeras(file, JSON.stringify(config), weights, tensors);
    await load(file);
    return mutatedBytes([await readFile(file)]);
  },
  async run(bytes, folder) {
    const file = path.join(folder, 'model.hdf5');
    await writeFile(file, bytes);
    await load(file);
  },
};

/** What a Keras file says of its layers, beside weights that are there. */
export const kerasModelConfig = {
  name: 'keras-config',
  async prepare() {
    this.seed = await kerasSeed();
    return mutatedJson([this.seed.config]).map((config) => Buffer.from(JSON.stringify(config) ?? ''));
  },
  async run(bytes, folder) {
    const file = path.join(folder, 'model.hdf5');
    await writeKeras(file, bytes.toString('utf8'), this.seed.weights, this.seed.tensors);
    await load(file);
  },
};
