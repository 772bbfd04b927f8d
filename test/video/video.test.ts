/** A clip, or a folder of frames, over time. Where there is no ffmpeg on the PATH, what needs it is skipped. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import { smoother } from '../../lib/video/timeline.js';
import { encoded, face, SIZE } from '../server/serving.js';

const MAIN = path.resolve('dist/cli/main.js');
const noFfmpeg = spawnSync('ffmpeg', ['-version']).status !== 0;
if (noFfmpeg) console.log('skipped: there is no ffmpeg on the PATH');
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-video-'));
  mkdirSync(path.join(folder, 'frames'));
  for (let i = 0; i < 6; i++) writeFileSync(path.join(folder, 'frames', `${i}.png`), await encoded(i < 3 ? 0 : 5));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: string[], env: NodeJS.ProcessEnv = process.env): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [MAIN, 'predict', ...args], { cwd: folder, encoding: 'utf8', env });

describe('smoothing', () => {
  const moment = (time: number, happy: number): Parameters<ReturnType<typeof smoother>>[0] => ({
    time,
    prediction: { label: happy > 0.5 ? 'happy' : 'sad', index: 0, probability: happy, probabilities: { happy, sad: 1 - happy } },
  });

  it('weighs a frame less the older it is, by seconds and not by frames', () => {
    const smooth = smoother(2);
    expect(smooth(moment(0, 1)).smoothed!.probabilities.happy).toBe(1);
    expect(smooth(moment(2, 0)).smoothed!.probabilities.happy).toBeCloseTo(Math.exp(-1));
    expect(smooth(moment(3, 0)).smoothed!.probabilities.happy).toBeCloseTo(Math.exp(-1.5));
  });
  it('keeps the last answer where there is no face, and has none before the first', () => {
    const smooth = smoother(1);
    expect(smooth({ time: 0 })).toEqual({ time: 0 });
    smooth(moment(1, 0.9));
    expect(smooth({ time: 2 }).smoothed).toMatchObject({ label: 'happy', probability: 0.9 });
  });
  it('does nothing at 0', () => {
    const smooth = smoother(0);
    smooth(moment(0, 1));
    expect(smooth(moment(0.1, 0.2)).smoothed!.probabilities.happy).toBeCloseTo(0.2);
  });
});

it('answers for frames by their time, as for pictures', async () => {
  using model = await MiniXception.pretrained('narrow');
  const { status, stdout } = run(['frames', '--frames', '--fps', '2', '--format', 'ndjson']);
  expect(status).toBe(0);
  const rows = stdout.trim().split('\n').map((line) => JSON.parse(line)); // prettier-ignore
  expect(rows.map(({ time }) => time)).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
  expect(rows[4].prediction).toEqual(await model.predict({ pixels: face(5), width: SIZE, height: SIZE }));
  const csv = run(['frames', '--frames', '--format', 'csv']).stdout.trim().split('\n');
  expect(csv[0]).toBe('time,label,smoothed,angry,disgust,fear,happy,sad,surprise,neutral');
  expect(csv).toHaveLength(7);
});

describe.skipIf(noFfmpeg)('a clip', () => {
  it('is read to its end, and drawn', () => {
    const made = spawnSync('ffmpeg', ['-loglevel', 'error', '-framerate', '2', '-i', 'frames/%d.png', '-vf', 'scale=96:96', '-pix_fmt', 'yuv420p', 'clip.mp4'], { cwd: folder }); // prettier-ignore
    expect(made.status).toBe(0);
    const { status, stdout, stderr } = run(['clip.mp4', '--fps', '4', '--format', 'json', '-o', 'timeline.svg']);
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as { time: number; prediction: { label: string } }[];
    expect(rows.length).toBeGreaterThanOrEqual(11);
    expect(rows[1].time).toBe(0.25);
    expect(rows[0].prediction).not.toEqual(rows[rows.length - 1].prediction);
    expect(stderr).toContain('wrote timeline.svg and timeline.png');
    expect(existsSync(path.join(folder, 'timeline.png'))).toBe(true);
  });
  it('that is none is told in one line', () => {
    writeFileSync(path.join(folder, 'no.mp4'), 'no clip');
    expect(run(['no.mp4'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^fer-cudnn: no.mp4 is not a clip that ffmpeg reads: .*\n$/),
    });
    expect(run(['absent.mp4']).stderr).toContain('cannot be read: ENOENT');
  });
});

it('says what to install where there is no ffmpeg', () => {
  writeFileSync(path.join(folder, 'some.mp4'), 'x');
  const { status, stderr } = run(['some.mp4'], { ...process.env, PATH: path.join(folder, 'empty') });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^fer-cudnn: reading some.mp4 needs ffmpeg, .*apt-get install ffmpeg.* \[ERR_FER_PACKAGE_MISSING\]\n$/);
});

it('refuses what means nothing', () => {
  expect(run(['a.mp4', 'b.mp4'])).toMatchObject({ status: 2, stderr: expect.stringContaining('one clip at a time') });
  expect(run(['frames', '--frames', '--fps', '0']).status).toBe(2);
  expect(run(['frames', '--frames', '-o', 'x.jpg']).status).toBe(2);
});
