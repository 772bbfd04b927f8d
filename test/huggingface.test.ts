/** The folder as transformers.js takes it: offline, by its pipeline. package.json gives it ONNX Runtime's WebAssembly build in place of the native one. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { env, pipeline } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { syntheticFaces } from '../lib/data/synthetic.js';
import { MiniXception } from '../lib/model.js';
import { ferIn, type Ended } from './command.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-hub-'));
  env.allowRemoteModels = false;
  env.localModelPath = `${folder}/`;
  env.useWasmCache = false;
  const runtime = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  Object.assign(env.backends.onnx.wasm!, { wasmPaths: `${pathToFileURL(runtime)}/`, numThreads: 1 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fer = (...args: string[]): Ended => ferIn(folder, args);
const json = (...name: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(folder, ...name), 'utf8')) as Record<string, unknown>;

describe('export --layout huggingface', () => {
  it.each(['narrow', 'robust'])('gives transformers.js the model %s: the same label and probabilities', async (name) => {
    expect(fer('export', name, '-o', name, '--layout', 'huggingface').status).toBe(0);
    const classifier = await pipeline('image-classification', name, { dtype: 'fp32', local_files_only: true });
    using model = await MiniXception.pretrained(name as 'narrow');
    const faces = syntheticFaces();
    const pictures: string[] = [];
    for (let i = 0; i < 6; i++) {
      const file = path.join(folder, `${i}.png`);
      // Two are in colour.
      const pixels = faces.images.subarray(i * 2304, (i + 1) * 2304);
      const face = sharp(pixels, { raw: { width: 48, height: 48, channels: 1 } });
      await (i < 2 ? face.toColourspace('srgb').tint({ r: 220, g: 190, b: 160 }) : face).png().toFile(file);
      pictures.push(file);
    }
    const ours = await model.predict(pictures);
    for (const [i, picture] of pictures.entries()) {
      const theirs = (await classifier(picture, { top_k: 7 })) as { label: string; score: number }[];
      expect(theirs[0].label).toBe(ours[i].label);
      // Of grey pictures exactly; colour is rounded to bytes here and not there.
      for (const { label, score } of theirs) expect(score).toBeCloseTo(ours[i].probabilities[label], i < 2 ? 1 : 5);
    }
  });

  it("describes the model to the hub, and reads as this package's own", async () => {
    const config = json('narrow', 'config.json');
    expect(config.id2label).toMatchObject({ 0: 'angry', 6: 'neutral' });
    expect(config.label2id).toMatchObject({ angry: 0, neutral: 6 });
    expect(json('narrow', 'preprocessor_config.json')).toMatchObject({
      size: { height: 48, width: 48 },
      do_rescale: false,
      do_normalize: false,
    });
    const [, head, card] = /^---\n([^]*?)\n---\n\n([^]*)$/.exec(readFileSync(path.join(folder, 'narrow', 'README.md'), 'utf8'))!;
    expect(parse(head)).toMatchObject({
      pipeline_tag: 'image-classification',
      'model-index': [{ results: [{ dataset: { split: 'PrivateTest' } }] }],
    });
    for (const [, file] of card.matchAll(/\]\(([\w.-]+)\)/g)) expect(existsSync(path.join(folder, 'narrow', file)), file).toBe(true);
    using ours = await MiniXception.pretrained('narrow');
    for (const file of ['model.safetensors', 'onnx/model.onnx']) {
      using back = await MiniXception.load(path.join(folder, 'narrow', file));
      expect([...(await back.tensors())]).toEqual([...(await ours.tensors())]);
    }
  });

  it('of a model that stands alone has a card without figures; --fp16 adds a graph', async () => {
    using small = MiniXception.create({ width: { stem: [3, 4], modules: [5] }, inputSize: 20, classes: ['yes', 'no'] });
    await small.save(path.join(folder, 'small.safetensors'));
    expect(fer('export', 'small.safetensors', '-o', 'small', '--layout', 'huggingface', '--fp16').status).toBe(0);
    expect(readdirSync(path.join(folder, 'small')).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'onnx',
      'preprocessor_config.json',
    ]);
    expect(readdirSync(path.join(folder, 'small', 'onnx')).sort()).toEqual(['model.onnx', 'model_fp16.onnx']);
    expect(readFileSync(path.join(folder, 'small', 'README.md'), 'utf8')).toContain('It was not evaluated on a test split.');
  });

  it('overwrites nothing without --force, and has no choice of input and output', () => {
    writeFileSync(path.join(folder, 'small', 'mine.txt'), 'mine');
    const again = ['export', 'small.safetensors', '-o', 'small', '--layout', 'huggingface'];
    expect(fer(...again)).toMatchObject({ status: 2, stderr: expect.stringContaining('--force overwrites it') as string });
    expect(fer(...again, '--force').status).toBe(0);
    expect(existsSync(path.join(folder, 'small', 'mine.txt'))).toBe(true);
    expect(fer('export', 'small.safetensors', '-o', 'other', '--layout', 'huggingface', '--softmax', '--uint8')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('leave out --softmax, --uint8') as string,
    });
  });
});
