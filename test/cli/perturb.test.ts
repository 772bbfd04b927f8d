import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { perturb, PERTURBATION_TYPES } from '../../lib/perturb/index.js';
import { definitionOf } from '../../lib/perturb/registry.js';

const MAIN = path.resolve('dist/cli/main.js');
let folder: string;
const pixels = syntheticFaces().images.slice(0, 2304);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-perturb-'));
  await sharp(pixels, { raw: { width: 48, height: 48, channels: 1 } }).toFile(path.join(folder, 'face.png'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, 'perturb', ...args], { cwd: folder, encoding: 'utf8' });
async function read(file: string) {
  const { data, info } = await sharp(path.join(folder, file)).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { pixels: new Uint8Array(data), width: info.width, height: info.height };
}

describe('fer-cudnn perturb', () => {
  it('teaches: every perturbation has its flag, its other parameters and its severities in the help', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    for (const type of PERTURBATION_TYPES) {
      const { flag, main, title, severities } = definitionOf(type);
      expect(stdout).toContain(`--${flag} <${main}>`);
      expect(stdout).toMatch(new RegExp(`${title.replace(/[()]/g, '.')}, ${main} .* ${severities[4][main]}\\n`));
    }
  });

  it('applies perturbations in the order given', async () => {
    const outcome = run(
      'face.png',
      '--rotate',
      '-30,fill=200,interpolation=bicubic',
      '--brightness',
      '1.3',
      '--rotate',
      '5',
      '-o',
      'out.png',
    );
    expect(outcome.stderr).toBe('wrote out.png (48x48)\n');
    expect(outcome.status).toBe(0);
    expect(await read('out.png')).toEqual(
      await perturb({ pixels, width: 48, height: 48 }, [
        { type: 'rotation', degrees: -30, fill: 200, interpolation: 'bicubic' },
        { type: 'brightness', factor: 1.3 },
        { type: 'rotation', degrees: 5 },
      ]),
    );
  });

  it('takes a part of the picture, stretches it, grows with a loose rotation, and names its output', async () => {
    expect(run('face.png', '--box', '4,4,40,40', '--size', '20', '--rotate', '45,size=loose').stderr).toMatch(
      /wrote face-perturbed.png \(29x29\)/,
    );
    expect(await read('face-perturbed.png')).toMatchObject({ width: 29, height: 29 });
  });

  it('writes every perturbation, at one severity or all five, into a folder or one picture', async () => {
    expect(run('face.png', '--all', '--severity', '3', '-o', 'faces').status).toBe(0);
    expect(readdirSync(path.join(folder, 'faces')).sort()).toEqual(PERTURBATION_TYPES.map((type) => `face-${type}-3.png`).sort());
    expect(run('face.png', '--all', '-o', 'sheet.png').stdout).toMatch(/^rows: rotation, .*\ncolumns: as it is, severity 1, 2, 3, 4, 5\n/);
    const sheet = await read('sheet.png');
    expect([sheet.width, sheet.height]).toEqual([6 * 50 - 2, PERTURBATION_TYPES.length * 50 - 2]);
    const row = PERTURBATION_TYPES.indexOf('occlusion');
    const occluded = await read(path.join('faces', 'face-occlusion-3.png'));
    for (let y = 0; y < 48; y++)
      expect(sheet.pixels.slice((row * 50 + y) * sheet.width + 150, (row * 50 + y) * sheet.width + 198)).toEqual(
        occluded.pixels.slice(y * 48, (y + 1) * 48),
      );
  });

  it('the seed decides what is drawn', async () => {
    run('face.png', '--noise', '20', '--seed', '4', '-o', 'a.png');
    run('face.png', '--noise', '20', '--seed', '5', '-o', 'b.png');
    const one = await read('a.png');
    expect(one).toEqual(await perturb({ pixels, width: 48, height: 48 }, { type: 'noise', sigma: 20 }, { seed: 4 }));
    expect(one).not.toEqual(await read('b.png'));
  });

  const wrong: [string, string[], number, RegExp][] = [
    ['no perturbation', [], 2, /no perturbation was named; give one, such as --rotate 15, or --all/],
    ['a strength out of range', ['--rotate', '500'], 2, /expected a number from -360 to 360 as degrees, got "500", for --rotate/],
    ['no strength', ['--rotate', 'fill=3'], 2, /got "fill=3", for --rotate/],
    ['an unknown parameter', ['--rotate', '5,fil=3'], 2, /expected degrees, interpolation, size, fill before =, got "fil=3", for --rotate/],
    ['a value that is none', ['--scale', '2,fill=blue'], 2, /0 to 255, reflect or edge as fill, got "blue", for --scale/],
    ['a format that is none', ['--blur', '1', '-o', 'x.bmp'], 2, /ends in \.png, .*got "x.bmp", for --out/],
    ['both ways at once', ['--blur', '1', '--all'], 2, /--all and single perturbations exclude each other/],
    ['a lone severity', ['--blur', '1', '--severity', '2'], 2, /--severity goes with --all/],
    ['a severity that is none', ['--all', '--severity', '6'], 2, /from 1 to 5, got "6", for --severity/],
  ];
  it.each(wrong)('refuses %s', (_, args, status, message) => {
    const outcome = run('face.png', ...args);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.status).toBe(status);
  });

  it('refuses a picture that is not there', () => {
    const outcome = run('absent.png', '--blur', '1');
    expect(outcome.stderr).toMatch(/absent\.png cannot be read: ENOENT \[ERR_FER_DATA_NOT_FOUND\]/);
    expect(outcome.status).toBe(1);
  });
});
