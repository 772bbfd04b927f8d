import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGrid } from '../../lib/experiments/hyperparameters/grid-file.js';
import { resolveOptions } from '../../lib/experiments/options.js';
import { hyperparameters } from '../../lib/experiments/hyperparameters/hyperparameters.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'fer-grid-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const grid = (text: string) => {
  const file = path.join(folder, 'grid.yaml');
  writeFileSync(file, text);
  return readGrid(file);
};

describe('a grid', () => {
  it('combines lists and adds named points, all on a common base', async () => {
    const points = await grid(
      'base: { width: narrow, epochs: 3 }\npoints: { A: { batchSize: 8 } }\ncombine: { batchSize: [15, 40], learningRate: [0.01, 0.001] }',
    );
    expect(points.map(({ name }) => name)).toEqual([
      'A',
      'batchSize-15-learningRate-0.01',
      'batchSize-15-learningRate-0.001',
      'batchSize-40-learningRate-0.01',
      'batchSize-40-learningRate-0.001',
    ]);
    for (const { config } of points) expect(config).toMatchObject({ preset: 'paper', width: 'narrow', epochs: 3 });
    expect(points[4].config).toMatchObject({ batchSize: 40, learningRate: 0.001 });
  });

  it("is the paper's where none is given", () => {
    const cells = hyperparameters.cells(resolveOptions({ seeds: [0, 1] }));
    expect(cells.map(({ id, config }) => [id, config!.width, config!.batchSize, config!.learningRate, config!.epochs])).toEqual([
      ['C1-0', 'wide', 40, 0.01, 100],
      ['C1-1', 'wide', 40, 0.01, 100],
      ['C2-0', 'wide', 15, 0.01, 100],
      ['C2-1', 'wide', 15, 0.01, 100],
      ['C3-0', 'wide', 15, 0.001, 100],
      ['C3-1', 'wide', 15, 0.001, 100],
      ['C4-0', 'wide', 15, 0.001, 150],
      ['C4-1', 'wide', 15, 0.001, 150],
    ]);
  });

  it.each([
    ['an unknown section', 'pionts: {}', /unknown section "pionts"; did you mean "points"\?/],
    ['an unknown option', 'points: { A: { batchsize: 3 } }', /points\.A: unknown option "batchsize"; did you mean "batchSize"\?/],
    ['a value out of range', 'points: { A: { epochs: 0 } }', /points\.A: expected a whole number from 1 to 100000, got 0, for epochs/],
    [
      'a wrong value in a list',
      'combine: { learningRate: [fast] }',
      /combine \(learningRate: "fast"\): expected a number from 0 to 100, got "fast", for learningRate/,
    ],
    ['no list', 'combine: { batchSize: 15 }', /combine\.batchSize: expected a list such as \[15, 40\], got 15/],
    ['no options', 'points: { A: 15 }', /points\.A: expected options such as "batchSize: 40", got 15/],
    ['a seed', 'points: { A: { seed: 1 } }', /seeds are not part of a grid; give them with --seeds/],
    ['a name that is no file name', 'points: { "a/b": {} }', /expected a name of letters.*got "a\/b"/],
    ['a name of the prototype as an option', 'points: { A: { __proto__: 3 } }', /points\.A: unknown option "__proto__"/],
    [
      'a point that a combination makes, too',
      'points: { batchSize-15: { epochs: 3 } }\ncombine: { batchSize: [15] }',
      /points\.batchSize-15 and combine \(batchSize: 15\) are one point, batchSize-15/,
    ],
    ['a value twice', 'combine: { batchSize: [15, 40, 15] }', /combine\.batchSize: expected values that differ, got 15 twice/],
    ['a number twice, written otherwise', 'combine: { learningRate: [0.01, 1e-2] }', /expected values that differ, got 0\.01 twice/],
    ['a point twice', 'points:\n  A: { epochs: 3 }\n  A: { epochs: 4 }', /line 3, column 3: Map keys must be unique/],
    ['an empty list', 'combine: { batchSize: [] }', /combine\.batchSize: expected a list such as \[15, 40\], got \[\]/],
    ['points in a list', 'points: [1]', /points: expected points such as .* got \[1\]/],
    ['a name too long for a file', `points: { ${'a'.repeat(201)}: {} }`, /at most 200, got "aaa/],
    ['nothing', 'base: { epochs: 3 }', /nothing to compare/],
    [
      'too much',
      `combine: { batchSize: [${Array.from({ length: 50 }, (_, i) => i + 1)}], epochs: [${Array.from({ length: 50 }, (_, i) => i + 1)}] }`,
      /at most 1000 points/,
    ],
    ['broken YAML', 'points: [', /grid\.yaml: line 1, column \d+/],
    ['a list', '- 1', /expected the sections base, points, combine/],
  ])('with %s is refused, with the place', async (_, text, message) => {
    await expect(grid(text)).rejects.toMatchObject({ code: 'ERR_FER_CONFIG', message: expect.stringMatching(message) as string });
  });

  it('may name points as the prototype of objects does', async () => {
    const points = await grid('points: { constructor: { epochs: 3 }, toString: }');
    const cells = hyperparameters.cells(resolveOptions({ grid: points }));
    expect(cells.map(({ id, config }) => [id, config!.epochs])).toEqual([
      ['constructor-0', 3],
      ['toString-0', 100],
    ]);
  });

  it('that is not there is named', async () => {
    await expect(readGrid('absent.yaml')).rejects.toMatchObject({ code: 'ERR_FER_CONFIG', message: 'absent.yaml: cannot be read: ENOENT' });
  });
});

describe('options', () => {
  it.each([
    [{ widths: [] }, /at least one value/],
    [{ widths: ['narrow', '8,8:16,32,64,128'] }, /values that differ, got "narrow twice", for widths/],
    [{ models: [5] }, /a word, got 5, for models/],
    [{ epochs: [3] }, /epochs by name, got Array, for epochs/],
    [
      {
        grid: [
          { name: 'A', config: {} },
          { name: 'A', config: { epochs: 3 } },
        ],
      },
      /different names, got "A twice", for grid/,
    ],
    [{ grid: [{ name: '../A', config: {} }] }, /points with a name of letters/],
    [{ grid: 'C1' }, /at least one point, got "C1", for grid/],
    [{ seeds: [1, 1] }, /values that differ, got "1 twice", for seeds/],
    [{ epochs: { narrow: 0.5 } }, /whole number from 1 to 100000, got 0.5, for epochs of narrow/],
    [{ epochsScale: 0 }, /above 0, at most 1, got 0, for epochsScale/],
    [{ images: 'drawn' }, /data or synthetic, got "drawn", for images/],
    [{ width: ['narrow'] }, /unknown option "width"; did you mean "widths"\?/],
  ])('%j are refused', (given, message) => {
    expect(() => resolveOptions(given as object)).toThrow(message);
  });

  it('cut lengths by name, then for all, then by share', () => {
    const cells = (extra: object) => hyperparameters.cells(resolveOptions(extra)).map(({ config }) => config!.epochs);
    expect(cells({ epochs: { C2: 7, all: 3 } })).toEqual([3, 7, 3, 3]);
    expect(cells({ epochs: { C2: 7 }, epochsScale: 0.02 })).toEqual([2, 7, 2, 3]);
    expect(cells({ epochsScale: 0.001 })).toEqual([1, 1, 1, 1]);
  });
});
