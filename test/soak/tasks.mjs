// What the soak does in turn: everything a long-lived program does with the package, and the ways in which it goes wrong there.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import {
  atSeverity,
  drawExplanation,
  EXPLANATION_METHODS,
  learningCurvesChart,
  loadDataSet,
  measureRobustness,
  MiniXception,
  perturb,
  PERTURBATIONS,
  syntheticFaces,
  writeChart,
} from '../../dist/index.js';

const SIZE = 24;
const WIDTH = '4,4:8,8';
const TRAINING = { epochs: 2, batchSize: 32 };

/** What all rounds share: data sets, pictures, a resident model, a folder. */
export async function prepare(folder) {
  mkdirSync(folder, { recursive: true });
  const all = syntheticFaces();
  const few = (data) => ({
    ...data,
    splits: new Map([...data.splits].map(([name, rows]) => [name, rows.subarray(0, name === 'Training' ? 420 : 140)])),
  });
  const square = all.size * all.size;
  const picture = path.join(folder, 'face.jpg');
  await sharp(all.images.subarray(0, square), { raw: { width: all.size, height: all.size, channels: 1 } })
    .resize(300, 300)
    .jpeg()
    .toFile(picture);
  const csv = path.join(folder, 'faces.csv');
  writeFileSync(csv, csvOf(all, 60));
  const broken = path.join(folder, 'broken.jpg');
  writeFileSync(broken, readFileSync(picture).subarray(0, 400));
  return {
    folder,
    all: few(all),
    small: few(syntheticFaces({ size: SIZE })),
    picture,
    csv,
    broken,
    resident: await MiniXception.pretrained('narrow'),
  };
}

/** The first rows of each split as FER2013's CSV has them. */
function csvOf(data, each) {
  const square = data.size * data.size;
  const lines = [...data.splits].flatMap(([split, rows]) =>
    Array.from(
      rows.subarray(0, each),
      (row) => `${data.labels[row]},${data.images.subarray(row * square, (row + 1) * square).join(' ')},${split}`,
    ),
  );
  return `emotion,pixels,Usage\n${lines.join('\n')}\n`;
}

/** A face of the data set as raw pixels. */
function face({ all }, row) {
  const square = all.size * all.size;
  return { pixels: all.images.slice(row * square, (row + 1) * square), width: all.size, height: all.size };
}

async function predictions(soak, round) {
  const { resident, picture } = soak;
  await resident.predict(picture);
  await resident.predict(readFileSync(picture));
  const many = Array.from({ length: 64 }, (_, i) => face(soak, (round * 64 + i) % 2800));
  const together = await resident.predict(many);
  const alone = await Promise.all(many.map((one) => resident.predict(one)));
  assert.deepEqual(alone, together, 'pictures alone and in a batch');
}

async function explanations({ resident, picture }, round) {
  for (const method of EXPLANATION_METHODS) {
    const explanation = await resident.explain(picture, { method, class: round % 7 });
    await drawExplanation(explanation, { side: 128 });
  }
}

async function evaluations({ resident, all }) {
  assert.equal((await resident.evaluate(all)).n, 140);
  await measureRobustness(resident, all, { split: 'PublicTest', series: [], draws: 2 });
}

async function perturbations(soak, round) {
  for (const type of Object.keys(PERTURBATIONS))
    await perturb(face(soak, round % 2800), atSeverity(type, (round % 5) + 1), { seed: round });
}

/** A run that is broken off twice and resumed, and the same unbroken: one and the same weights. */
async function training({ folder, small }) {
  const run = path.join(folder, 'run');
  rmSync(run, { recursive: true, force: true });
  const [whole, broken] = [tiny(), tiny()];
  await whole.fit(small, TRAINING);
  await fitUntil(broken, small, { ...TRAINING, runFolder: run }, 5);
  await fitUntil(broken, small, { runFolder: run, resume: true }, 10);
  const { aborted } = await broken.fit(small, { runFolder: run, resume: true });
  assert.equal(aborted, false);
  const [tensors, expected] = [await broken.tensors(), await whole.tensors()];
  for (const [name, { data }] of expected) assert.deepEqual(tensors.get(name).data, data, name);
  for (const model of [whole, broken]) model.dispose();
}

const tiny = () => MiniXception.create({ width: WIDTH, inputSize: SIZE, threads: 1 });

/** Trains for `steps` steps or a few more. */
async function fitUntil(model, data, options, steps) {
  const stop = new AbortController();
  let seen = 0;
  await model.fit(data, { ...options, signal: stop.signal, onProgress: () => ++seen >= steps && stop.abort() });
}

async function files({ folder, csv, resident }) {
  const file = path.join(folder, 'model.safetensors');
  await resident.save(file);
  const loaded = await MiniXception.load(file);
  const copy = await loaded.clone();
  assert.equal(copy.parameterCount, resident.parameterCount);
  for (const model of [loaded, copy]) model.dispose();
  process.env.FER_CACHE_DIR = path.join(folder, 'cache');
  rmSync(process.env.FER_CACHE_DIR, { recursive: true, force: true });
  for (let i = 0; i < 2; i++) assert.equal((await loadDataSet(csv)).labels.length, 180);
}

/** Models that nobody disposes of: the collector has to. And a model whose training goes on while it is disposed of. */
async function forgotten({ small }) {
  const model = tiny();
  await model.predict({ pixels: small.images.subarray(0, SIZE * SIZE), width: SIZE, height: SIZE });
  const disposed = tiny();
  const training = disposed.fit(small, TRAINING).catch((error) => error);
  disposed.dispose();
  await training;
}

async function errors({ resident, broken, folder, small }) {
  await assert.rejects(resident.predict(broken), { name: 'FerError' });
  await assert.rejects(resident.predict(path.join(folder, 'absent.jpg')), { name: 'FerError' });
  await assert.rejects(MiniXception.load(broken), { name: 'FerError' });
  await assert.rejects(loadDataSet(broken), { name: 'FerError' });
  const model = tiny();
  await assert.rejects(model.fit(small, { learningRate: -1 }), { name: 'FerError' });
  model.dispose();
}

async function workers({ picture }) {
  const source = `
    import { workerData } from 'node:worker_threads';
    const { MiniXception } = await import(workerData.library);
    const model = await MiniXception.pretrained('narrow', { threads: 1 });
    await model.predict(workerData.picture);`;
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { library, picture } });
  const status = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  assert.equal(status, 0);
}

async function charts({ folder }) {
  const row = { epoch: 1, learningRate: 0.1, trainLoss: 1, trainAccuracy: 0.5, validationLoss: 1, validationAccuracy: 0.5 };
  await writeChart(learningCurvesChart([row, { ...row, epoch: 2 }]), path.join(folder, 'curves'));
}

/** `every`: in which rounds; those that are slow without being about the native core come less often. */
export const TASKS = [
  { name: 'predict', every: 1, run: predictions },
  { name: 'explain', every: 1, run: explanations },
  { name: 'evaluate', every: 1, run: evaluations },
  { name: 'perturb', every: 1, run: perturbations },
  { name: 'training', every: 2, run: training },
  { name: 'files', every: 1, run: files },
  { name: 'forgotten', every: 1, run: forgotten },
  { name: 'errors', every: 1, run: errors },
  { name: 'workers', every: 5, run: workers },
  { name: 'charts', every: 10, run: charts },
];
