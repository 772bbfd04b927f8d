// Folders for the hub: read by huggingface_hub from PyPI, run by transformers.js with ONNX Runtime's native build.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MiniXception } from '../../../dist/index.js';
import { drawnPixels } from '../onnx/models.mjs';
import { PACKAGED, privateTest } from '../private-test.mjs';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export async function check({ folder, python, npm, data }) {
  const installed = createRequire(path.join(npm, 'package.json'));
  const { env, pipeline, RawImage } = await import(pathToFileURL(installed.resolve('@huggingface/transformers')).href);
  Object.assign(env, { allowRemoteModels: false, localModelPath: `${folder}/` });
  const { images, n, size } = data ? await privateTest(data) : { images: drawnPixels(64, 48, 1, 1), n: 64, size: 48 };
  const models = [];
  const wrong = [];
  for (const name of PACKAGED) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'export', name, '-o', path.join(folder, name), '--layout', 'huggingface'], { encoding: 'utf8' }); // prettier-ignore
    if (status !== 0) throw new Error(stderr);
    const classifier = await pipeline('image-classification', name, { dtype: 'fp32', local_files_only: true });
    const model = await MiniXception.pretrained(name);
    let equal = 0;
    let difference = 0;
    for (let i = 0; i < n; i++) {
      const pixels = images.slice(i * size * size, (i + 1) * size * size);
      const [ours, theirs] = await Promise.all([
        model.predict({ pixels, width: size, height: size }),
        classifier(new RawImage(pixels, size, size, 1), { top_k: model.classes.length }),
      ]);
      if (ours.label === theirs[0].label) equal++;
      for (const { label, score } of theirs) difference = Math.max(difference, Math.abs(score - ours.probabilities[label]));
    }
    model.dispose();
    models.push({ model: name, n, equal, difference });
    if (equal !== n) wrong.push(`${name}: ${n - equal} of ${n} labels differ`);
  }
  const cards = python(new URL('check.py', import.meta.url), ...PACKAGED.map((name) => path.join(folder, name, 'README.md')));
  const figures = await Promise.all(PACKAGED.map(async (name) => (await import(`../../../models/mini-xception-narrow${name === 'robust' ? '-robust' : ''}/evaluation.json`, { with: { type: 'json' } })).default.accuracy)); // prettier-ignore
  for (const [i, { accuracy, pipeline: tag }] of cards.entries())
    if (accuracy !== figures[i] || tag !== 'image-classification')
      wrong.push(`the card of ${PACKAGED[i]} reads as ${JSON.stringify(cards[i])}`);
  return {
    models,
    cards,
    wrong,
    lines: [
      ...models.map((each) => `${each.model}: ${each.equal} of ${each.n} labels equal in transformers.js, largest difference of probabilities ${each.difference.toExponential(1)}`), // prettier-ignore
      `huggingface_hub reads the cards: ${cards.map(({ dataset, accuracy }) => `${dataset} ${accuracy.toFixed(4)}`).join(', ')}`,
    ],
  };
}
