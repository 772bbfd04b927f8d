/** From a photograph to an answer a face. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutFace, FER2013_LAYOUT } from '../../lib/faces/align.js';
import { overlap, separate, type FoundFace } from '../../lib/faces/blazeface.js';
import { blazeFaceFiles } from '../../lib/faces/files.js';
import { drawFaces } from '../../lib/faces/draw.js';
// Its thread runs what is built.
import { faceFinder } from '../../dist/faces/finder.js';
import type { OwnFaceFinder } from '../../lib/faces/finder.js';
import { readGraph } from '../../lib/faces/graph.js';
import { MiniXception } from '../../lib/model.js';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { serve } from '../../dist/server/serve.js';

const MAIN = path.resolve('dist/cli/main.js');
let folder: string;
let photo: Buffer;
let finder: OwnFaceFinder;
let model: MiniXception;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-faces-'));
  // Of the collage that @vladmandic/human comes with, the portrait of a man at a table.
  const assets = path.join(path.dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'assets');
  photo = await sharp(path.join(assets, 'samples.jpg')).extract({ left: 330, top: 0, width: 210, height: 155 }).png().toBuffer();
  writeFileSync(path.join(folder, 'photo.png'), photo);
  finder = faceFinder();
  model = await MiniXception.pretrained('narrow');
});
afterAll(async () => {
  await finder.close();
  model.dispose();
  rmSync(folder, { recursive: true });
});

describe('finding', () => {
  it('runs BlazeFace as TensorFlow.js does', async () => {
    const { graph, weights } = await blazeFaceFiles();
    const input = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => Math.sin(i * 0.37) * Math.cos(i * 0.0011));
    const ends = [...readGraph(graph, weights).run(input, 256, 256).values()].sort((a, b) => a.length - b.length);
    const expected = JSON.parse(readFileSync('test/fixtures/blazeface.json', 'utf8')) as { length: number; first: number[]; sum: number }[];
    let worst = 0;
    for (const [i, { length, first, sum }] of expected.entries()) {
      expect(ends[i].length).toBe(length);
      first.forEach((value, k) => (worst = Math.max(worst, Math.abs(ends[i][k] - value) / (1 + Math.abs(value)))));
      expect(Math.abs(ends[i].reduce((a, b) => a + b, 0) - sum) / length).toBeLessThan(1e-3);
    }
    console.log(`worst relative error: ${worst}`);
    expect(worst).toBeLessThan(1e-4);
  });

  it('finds the face on a portrait, its eyes level in what the network sees', async () => {
    const faces = await model.predictFaces(photo, { finder });
    expect(faces).toHaveLength(1);
    const [{ box, confidence, eyes, prediction, seen }] = faces;
    expect(confidence).toBeGreaterThan(0.7);
    const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    expect(Math.hypot(middle.x - 114, middle.y - 45)).toBeLessThan(12);
    expect(eyes![0].x).toBeLessThan(eyes![1].x);
    expect(model.classes).toContain(prediction.label);
    expect(seen.pixels).toHaveLength(48 * 48);
    expect(prediction).toEqual(await model.predict(seen));
  });

  it('finds none where there is none: an answer, not a guess', async () => {
    const { data } = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#456', noise: { type: 'gaussian', mean: 120, sigma: 40 } } }).png().toBuffer({ resolveWithObject: true }); // prettier-ignore
    expect(await model.predictFaces(data, { finder })).toEqual([]);
    expect(await model.predictFaces(Buffer.from(await sharp(Buffer.alloc(900, 7), { raw: { width: 30, height: 30, channels: 1 } }).png().toBuffer()), { finder })).toEqual([]); // prettier-ignore
  });

  it('makes of several boxes of one face their mean', () => {
    const at = (left: number, confidence: number): FoundFace => ({ box: { left, top: 0, width: 10, height: 10 }, confidence });
    expect(overlap(at(0, 1).box, at(5, 1).box)).toBeCloseTo(1 / 3);
    expect(separate([at(0, 0.5), at(1, 0.9), at(30, 0.6)])).toEqual([at((0.9 * 1) / 1.4, 0.9), at(30, 0.6)]);
  });
});

describe('cutting out', () => {
  /** A dark picture with two bright eyes, turned about its middle. */
  const withEyes = (degrees: number): { picture: { pixels: Uint8Array; width: number; height: number }; face: FoundFace } => {
    const side = 200;
    const angle = (degrees * Math.PI) / 180;
    const eye = (by: number): { x: number; y: number } => ({ x: 100 + by * Math.cos(angle), y: 100 + by * Math.sin(angle) });
    const eyes = [eye(-20), eye(20)] as const;
    const pixels = new Uint8Array(side * side);
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (eyes.some((one) => Math.hypot(x + 0.5 - one.x, y + 0.5 - one.y) < 4)) pixels[y * side + x] = 255; // prettier-ignore
    return {
      picture: { pixels, width: side, height: side },
      face: { box: { left: 60, top: 60, width: 80, height: 80 }, confidence: 1, eyes },
    };
  };

  it.each([0, 20, -35, 80])('brings eyes turned by %d° to where FER2013 has them', (degrees) => {
    const { picture, face } = withEyes(degrees);
    const cut = cutFace(picture, face, 48);
    const bright = (left: boolean): { x: number; y: number } => {
      let [sum, x, y] = [0, 0, 0];
      cut.forEach((value, i) => {
        if (i % 48 < 24 !== left) return;
        sum += value;
        x += value * ((i % 48) + 0.5);
        y += value * (Math.floor(i / 48) + 0.5);
      });
      return { x: x / sum, y: y / sum };
    };
    const [one, other] = [bright(true), bright(false)];
    expect(one.y).toBeCloseTo(FER2013_LAYOUT.down * 48, 0);
    expect(other.y).toBeCloseTo(one.y, 0);
    expect(other.x - one.x).toBeCloseTo(FER2013_LAYOUT.apart * 48, 0);
  });

  it('leaves a face turned where that is asked', () => {
    const { picture, face } = withEyes(30);
    expect(cutFace(picture, face, 48, false)).not.toEqual(cutFace(picture, face, 48));
  });
});

describe('finders and boxes of one’s own', () => {
  it('stand in for the default', async () => {
    const box = { left: 80, top: 10, width: 70, height: 70 };
    const asked: number[] = [];
    const own = { find: ({ pixels, width, height }: { pixels: Uint8Array; width: number; height: number }) => (asked.push(pixels.length / width / height), [{ box, confidence: 0.4 }]) }; // prettier-ignore
    const [found] = await model.predictFaces(photo, { finder: own });
    expect(asked).toEqual([3]);
    const [given] = await model.predictFaces(photo, { faces: [box] });
    expect(given.prediction).toEqual(found.prediction);
    expect([given.confidence, found.confidence]).toEqual([1, 0.4]);
    await expect(model.predictFaces(photo, { faces: [{ ...box, width: 0 }] })).rejects.toThrow(/above 0/);
  });

  it('are drawn', async () => {
    const faces = await model.predictFaces(photo, { faces: [{ left: 80, top: 20, width: 60, height: 60 }] });
    const drawn = await sharp(await drawFaces(photo, faces, { format: 'png' }))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(drawn.info).toMatchObject({ width: 210, height: 155 });
    const yellow = [...drawn.data.subarray((60 * 210 + 78) * 3, (60 * 210 + 84) * 3)];
    expect(Math.max(...yellow)).toBeGreaterThan(240);
  });
});

describe('on the command line', () => {
  const run = (args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env } });
  const hidden = (): NodeJS.ProcessEnv => {
    const file = path.join(folder, 'hide.cjs');
    writeFileSync(file, `const m = require('node:module'); const own = m._resolveFilename; m._resolveFilename = (name, ...rest) => { if (name === '@vladmandic/human') throw Object.assign(new Error('hidden'), { code: 'MODULE_NOT_FOUND' }); return own(name, ...rest); };`); // prettier-ignore
    return { NODE_OPTIONS: `--require=${file}` };
  };

  it('answers for each face, in every form, and draws them', async () => {
    await sharp(Buffer.alloc(400 * 300, 90), { raw: { width: 400, height: 300, channels: 1 } })
      .png()
      .toFile(path.join(folder, 'wall.png'));
    const { status, stdout, stderr } = run(['predict', 'photo.png', 'wall.png', '--faces', '--format', 'json', '-o', 'drawn']);
    expect(status).toBe(0);
    const [face, none] = JSON.parse(stdout);
    expect(face).toMatchObject({
      image: 'photo.png',
      confidence: expect.any(Number),
      box: { left: expect.any(Number) },
      label: expect.any(String),
    });
    expect(none).toEqual({ image: 'wall.png', note: 'no face was found' });
    expect(stderr).toContain('note: wall.png: no face was found');
    expect(existsSync(path.join(folder, 'drawn', 'photo-faces.jpg'))).toBe(true);
    expect(run(['predict', 'photo.png', '--faces', '--format', 'csv']).stdout.split('\n')[0]).toContain(
      'image,left,top,width,height,confidence,label',
    );
  });

  it('doubts a picture without a face', async () => {
    expect(run(['predict', 'photo.png', '--box', '0,100,50,50']).stderr).toContain('no face was found on it');
    expect(run(['predict', 'photo.png', '--box', '82,12,66,66']).stderr).not.toContain('no face');
  });

  it('says what to install where the package is missing, and goes on without it', () => {
    const { status, stderr } = run(['predict', 'photo.png', '--faces'], hidden());
    expect(status).toBe(1);
    expect(stderr.trim()).toBe(
      'fer-cudnn: finding faces needs a package that is not installed: npm install @vladmandic/human [ERR_FER_PACKAGE_MISSING]',
    );
    expect(run(['predict', 'photo.png'], hidden())).toMatchObject({ status: 0, stderr: '' });
  });

  it('refuses what means nothing', () => {
    expect(run(['predict', 'photo.png', '-o', 'x.png'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--out goes with --faces'),
    });
    expect(run(['predict', 'photo.png', '--faces', '-o', 'photo.png']).status).toBe(2);
    expect(run(['predict', 'photo.png', '--faces', '--min-confidence', '2']).stderr).toContain('between 0 and 1');
  });
});

it('are answered for by the server', async () => {
  await using server = await serve({ port: 0 });
  const body = new FormData();
  body.append('image', new Blob([Uint8Array.from(photo)]), 'photo.png');
  const response = await fetch(`${server.url}/v1/predict?faces=true`, { method: 'POST', body });
  const { predictions } = (await response.json()) as { predictions: { faces: unknown[] }[] };
  const [expected] = await model.predictFaces(photo, { finder });
  const answer = { ...expected, seen: Buffer.from(expected.seen.pixels).toString('base64') };
  expect(predictions[0].faces).toEqual([answer]);
});

it('of drawn pictures are no face to the finder, or one', async () => {
  const { images } = syntheticFaces();
  const faces = await model.predictFaces({ pixels: images.subarray(0, 48 * 48), width: 48, height: 48 }, { finder });
  expect(faces.length).toBeLessThan(2);
});
