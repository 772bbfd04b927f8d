import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import type { ModelMetadata } from '../../lib/network/metadata.js';
import { modelCard } from '../../lib/training/card.js';
import { factsBeside } from '../../lib/training/card-folder.js';
import type { TrainingResult } from '../../lib/training/fit.js';

let folder: string;
let result: TrainingResult;
let metadata: ModelMetadata;
const inRun = (name: string): string => path.join(folder, 'run', name);
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-card-'));
  using model = MiniXception.create({ width: { stem: [3, 4], modules: [5] }, inputSize: 20 });
  result = await model.fit(syntheticFaces({ size: 20 }), { preset: 'quick', epochs: 2, flip: 0.5, runFolder: path.join(folder, 'run') });
  ({ metadata } = model);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The cells of the row that begins with `first`. */
function cells(card: string, first: string): string[] {
  const line = card.split('\n').find((each) => each.startsWith(`| ${first} |`))!;
  return line.split('|').slice(2, -1).map((cell) => cell.trim()); // prettier-ignore
}

describe('the card of a run', () => {
  it('has the figures of its evaluation, the counts of its data and the epochs of its curves', () => {
    const card = readFileSync(inRun('README.md'), 'utf8');
    const { accuracy, accuracyInterval, n, perClass, confusionMatrix } = result.evaluation!;
    const percent = (x: number): string => (100 * x).toFixed(1);
    expect(cells(card, 'accuracy')).toEqual([`${percent(accuracy)} (${accuracyInterval.map(percent).join(' to ')})`]);
    expect(card).toContain(`n = ${n}`);
    for (const [i, { name, recall, support }] of perClass.entries()) {
      const rows = card.split('\n').filter((line) => line.startsWith(`| ${name} |`));
      expect(rows[0]).toContain(` ${percent(recall)} (`);
      expect(rows[0].endsWith(`| ${support} |`)).toBe(true);
      expect(rows[1]).toBe(`| ${[name, ...confusionMatrix[i]].join(' | ')} |`);
    }
    const faces = syntheticFaces({ size: 20 });
    for (const [name, rows] of faces.splits) expect(cells(card, name)[0]).toBe(rows.length.toLocaleString('en-US'));
    expect(card).toContain('knows nothing of real ones');
    expect(card).toContain('preset quick, 2 epochs of batches of 64, seed 0, fp32');
    for (const file of ['confusion-matrix.png', 'curves.png', 'config.json', 'metrics.csv', 'evaluation.json'])
      expect(card).toContain(`(${file})`);
    expect(card).not.toMatch(/undefined|NaN|\[object/);
  });

  it('is the same when it is made of the files beside the model', async () => {
    expect(`${modelCard(await factsBeside(inRun('model.safetensors'), metadata))}\n`).toBe(readFileSync(inRun('README.md'), 'utf8'));
  });

  it('names no file that is not there, and says what is not known', async () => {
    const alone = path.join(folder, 'alone', 'model.safetensors');
    const card = modelCard(await factsBeside(alone, { ...metadata, training: undefined, source: 'imported from a Keras hdf5 checkpoint' }));
    expect(card).not.toMatch(/\]\(/);
    expect(card).toContain('It was not evaluated on a test split.');
    expect(card).toContain('imported from a Keras hdf5 checkpoint');
  });

  it('takes names of classes for text, whatever they are', async () => {
    const { evaluation, ...facts } = await factsBeside(inRun('model.safetensors'), metadata);
    const perClass = evaluation!.perClass.map((each, i) => ({ ...each, name: i === 0 ? 'a|b <img src=x>' : each.name }));
    const card = modelCard({ ...facts, evaluation: { ...evaluation!, perClass } });
    expect(card).not.toMatch(/(?<!\\)<img/);
    expect(card).toContain('a\\|b \\<img src=x\\>');
  });

  it.each([
    ['evaluation.json', '{"split": "Test"}', 'the file.n: expected a whole number from 1, got nothing'],
    ['data.json', '{', 'it is not JSON'],
    ['metrics.jsonl', '{"epoch": 0}', 'the file[0].epoch: expected a whole number from 1, got 0'],
  ])('says what is wrong with %s', async (name, content, message) => {
    const kept = readFileSync(inRun(name));
    writeFileSync(inRun(name), content);
    await expect(factsBeside(inRun('model.safetensors'), metadata)).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringContaining(message) as string,
    });
    writeFileSync(inRun(name), kept);
  });
});
