/** What a cell left is checked before a report is made of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectExperiments, runExperiments } from '../../lib/experiments/index.js';
import { resolveOptions } from '../../lib/experiments/options.js';
import { ExperimentFolder } from '../../lib/experiments/run/folder.js';
import { loadExperiment } from '../../lib/experiments/registry.js';
import { SMALL, TINY, tinyData } from './tiny.js';

let folder: string;
/** A folder of every experiment in which all cells but the robustness curves have run; the files as they were. */
let good: Map<string, string>;

const cellFile = (id: string): string => path.join(folder, 'cells', `${id}.json`);
const CELLS = ['data/audit', 'width/4-4_8-8-paper-0', 'robustness/1-jpeg', 'robustness/pictures'];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-cells-'));
  const options = { ...TINY, widths: [SMALL], epochs: { all: 1 }, draws: 2, images: 'synthetic' as const, folder, threads: 2 };
  await runExperiments(['data', 'width', 'robustness'], tinyData(), { ...options, only: CELLS });
  good = new Map([...CELLS.map(cellFile), path.join(folder, 'experiment.json')].map((file) => [file, readFileSync(file, 'utf8')]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The file with one value changed; `where` such as "found.rows.0.epoch". */
function change(file: string, where: string, value: unknown): void {
  const whole = JSON.parse(good.get(file)!) as Record<string, unknown>;
  const keys = where.split('.');
  const last = keys.pop()!;
  const part = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, whole);
  part[last] = value;
  writeFileSync(file, JSON.stringify(whole));
}

describe('a cell', () => {
  it.each([
    ['data/audit', 'found.counts.Training.happy', 'many', 'found.counts.Training.happy: expected a whole number from 0, got "many"'],
    ['data/audit', 'data.splits', null, 'data.splits: expected an object, got null'],
    ['data/audit', 'environment.cores', '2', 'environment.cores: expected a whole number from 1, got "2"'],
    ['data/audit', 'cell.id', 'other', 'cell.id: expected "audit", got "other"'],
    ['data/audit', 'found', undefined, 'found: expected an object, got nothing'],
    ['width/4-4_8-8-paper-0', 'found.rows.0.epoch', 2, 'found.rows: expected epochs from 1 on'],
    ['width/4-4_8-8-paper-0', 'found.config.epochs', 0, 'found.config: expected a whole number from 1 to 100000, got 0, for epochs'],
    ['width/4-4_8-8-paper-0', 'found.evaluation.accuracy', 1.5, 'found.evaluation.accuracy: expected a number from 0 to 1, got 1.5'],
    [
      'robustness/1-jpeg',
      'found.measurement.series.0.points.0.perturbation.type',
      'toString',
      /perturbation: expected rotation, .* for type/,
    ],
    ['robustness/1-jpeg', 'found.measurement.clean.share', null, 'found.measurement.clean.share: expected a number from 0 to 1, got null'],
    [
      'robustness/pictures',
      'found.pictures.0.png',
      '"><script>alert(1)</script>',
      "found.pictures[0].png: expected a PNG's bytes in base64",
    ],
    ['robustness/pictures', 'found.pictures.0.id', '../../x', 'found.pictures[0].id: expected the name of a file, without a folder'],
  ] as [string, string, unknown, string | RegExp][])('%s whose %s is %j is refused', async (id, where, value, message) => {
    const file = cellFile(id);
    change(file, where, value);
    await expect(collectExperiments(folder)).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: (typeof message === 'string'
        ? expect.stringContaining(`${file} is damaged: ${message}`)
        : expect.stringMatching(message)) as string,
    });
    writeFileSync(file, good.get(file)!);
  });

  it('that is sound is what the plan says it is, whatever its file calls it', async () => {
    const file = cellFile('width/4-4_8-8-paper-0');
    change(file, 'cell.title', '<script>');
    const { results } = await collectExperiments(folder);
    expect(JSON.stringify(results)).not.toContain('<script>');
    const experiment = await loadExperiment('width');
    const [cell] = experiment.cells(resolveOptions({ ...TINY, folder: undefined, threads: undefined, widths: [SMALL], epochs: { all: 1 } } as never)); // prettier-ignore
    const read = await (await ExperimentFolder.existing(folder)).readCell({ id: 'width/4-4_8-8-paper-0', experiment, cell });
    expect(read!.cell).toEqual(cell);
    writeFileSync(file, good.get(file)!);
  });
});

describe('a plan', () => {
  it.each([
    ['format', 2, 'format: expected 1, got 2'],
    ['experiments', ['constructor'], 'experiments[0]: expected data, width'],
    ['experiments', [], 'experiments: expected a list, got []'],
    ['options', null, 'options: expected an object, got null'],
    ['options.widths', [5], 'options: expected a word, got 5, for widths'],
    ['options.epochs', [1], 'options: expected epochs by name, got Array, for epochs'],
    ['data', 5, 'data: expected text, got 5'],
  ])('whose %s is %j is refused', async (where, value, message) => {
    const file = path.join(folder, 'experiment.json');
    change(file, where, value);
    await expect(collectExperiments(folder)).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringContaining(message) as string,
    });
    writeFileSync(file, good.get(file)!);
  });

  it('that cannot be read is said so', async () => {
    const other = path.join(folder, 'other');
    mkdirSync(path.join(other, 'experiment.json'), { recursive: true });
    await expect(collectExperiments(other)).rejects.toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringContaining('experiment.json cannot be read: EISDIR') as string,
    });
  });
});
