/** Files of words: training configurations, grids, and the cells of an experiment that a report is made of. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { collectExperiments, PRESETS, readGrid, resolveConfig, runExperiments, writeReport } from '../../../dist/index.js';
import { readConfigFile } from '../../../dist/cli/config-file.js';
import { mutatedBytes, mutatedText } from '../mutations.mjs';
import { SIZE, smallData } from '../small.mjs';

/** YAML's own means: aliases, anchors, merges, tags, more than one document. */
const ODD = [
  'a: &a [*a]\n',
  'epochs: &e 3\nseed: *e\n',
  '<<: {epochs: 2}\n',
  'epochs: !!js/function x\n',
  '--- {}\n--- {}\n',
  '? [1]\n: 2\n',
];
const odd = mutatedBytes(ODD.map((text) => Buffer.from(text)));

export const config = {
  name: 'config',
  prepare: () =>
    fc.oneof(
      { weight: 4, arbitrary: mutatedText([resolveConfig({}), ...Object.values(PRESETS).map(({ options }) => options)], stringify) },
      { weight: 1, arbitrary: odd },
    ),
  async run(bytes, folder) {
    const file = path.join(folder, 'config.yaml');
    await writeFile(file, bytes);
    resolveConfig(await readConfigFile(file));
  },
};

const GRID = {
  base: { epochs: 3, width: '4,4:8,8' },
  points: { small: { batchSize: 8 }, large: { batchSize: 64, learningRate: 0.1 } },
  combine: { batchSize: [15, 40], optimizer: ['sgd', 'adam'], learningRate: [0.1, 0.01] },
};

export const grid = {
  name: 'grid',
  prepare: () => fc.oneof({ weight: 4, arbitrary: mutatedText([GRID], stringify) }, { weight: 1, arbitrary: odd }),
  async run(bytes, folder) {
    const file = path.join(folder, 'grid.yaml');
    await writeFile(file, bytes);
    const points = await readGrid(file);
    assert.ok(points.length > 0 && points.length <= 1000);
    assert.equal(new Set(points.map(({ name }) => name)).size, points.length, 'two points of one name');
  },
};

/** The plan of an experiment or one of its cells, changed; what comes of it is a report, or an error that names the file. */
export const cells = {
  name: 'cells',
  async prepare(folder) {
    const seed = path.join(folder, 'seed-experiment');
    await rm(seed, { recursive: true, force: true });
    await runExperiments(['data'], smallData(), { folder: seed, inputSize: SIZE, threads: 1 });
    this.files = ['experiment.json', 'cells/data/audit.json'];
    this.seeds = await Promise.all(this.files.map(async (name) => JSON.parse(await readFile(path.join(seed, name), 'utf8'))));
    return fc.oneof(
      ...this.seeds.map((value, i) => mutatedText([value], JSON.stringify).map((bytes) => Buffer.concat([Buffer.of(i), bytes]))),
    );
  },
  async run(bytes, folder) {
    const place = path.join(folder, 'experiment');
    await rm(place, { recursive: true, force: true });
    await mkdir(path.join(place, 'cells/data'), { recursive: true });
    for (const [i, name] of this.files.entries())
      await writeFile(path.join(place, name), i === bytes[0] ? bytes.subarray(1) : JSON.stringify(this.seeds[i]));
    const report = await collectExperiments(place);
    const html = (await writeReport(report, path.join(place, 'report'))).html;
    const text = html && (await readFile(html, 'utf8'));
    assert.ok(!text || !/<script>alert/.test(text), 'a script of the file in the report');
  },
};
