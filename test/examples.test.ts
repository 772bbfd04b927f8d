/** The examples run as they stand. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiniXception } from '../lib/model.js';
import type { Prediction } from '../lib/predict/prediction.js';
import { encoded } from './server/serving.js';

const CHROMIUM = process.env.FER_CHROMIUM ?? '/usr/bin/chromium';
let folder: string;
let file: string;
let picture: Buffer;
let narrow: Prediction;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-examples-'));
  picture = await encoded(2, 'jpeg', 120);
  file = path.join(folder, 'face.jpg');
  writeFileSync(file, picture);
  using model = await MiniXception.pretrained('narrow');
  narrow = await model.predict(picture);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a program that prints its address; `stop` gives its exit status. */
function running(script: string): Promise<{ url: string; stop: () => Promise<number | null> }> {
  const child = spawn(process.execPath, [script], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return new Promise((resolve, reject) => {
    void ended.then((status) => reject(new Error(`${script} ended with ${status}`)));
    child.stdout.on('data', (bytes: Buffer) => resolve({ url: bytes.toString().trim(), stop: () => (child.kill('SIGTERM'), ended) }));
  });
}

const ask = async (url: string, body: Uint8Array, type = 'image/jpeg'): Promise<[number, unknown]> => {
  const response = await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers: { 'content-type': type } });
  return [response.status, await response.json()];
};

it('express-route', async () => {
  const { url, stop } = await running('examples/express-route/server.mjs');
  expect(await ask(`${url}/predict`, picture)).toEqual([200, narrow]);
  expect(await ask(`${url}/predict`, Buffer.from('no picture'))).toEqual([
    422,
    { error: expect.any(String), code: 'ERR_FER_IMAGE_FORMAT' },
  ]);
  expect((await ask(`${url}/predict`, picture, 'text/plain'))[0]).toBe(415);
  await stop();
});

it('fastify-plugin', async () => {
  using robust = await MiniXception.pretrained('robust');
  const { url, stop } = await running('examples/fastify-plugin/server.mjs');
  expect(await ask(`${url}/predict`, picture)).toEqual([200, await robust.predict(picture)]);
  expect((await ask(`${url}/predict`, Buffer.from('no picture')))[0]).toBe(422);
  await stop();
});

it('next-route', async () => {
  const { POST } = (await import(pathToFileURL(path.resolve('examples/next-route/app/api/predict/route.js')).href)) as {
    POST: (request: Request) => Promise<Response>;
  };
  const posted = (image: Blob | string): Request => {
    const body = new FormData();
    body.append('image', image);
    return new Request('http://localhost/api/predict', { method: 'POST', body });
  };
  expect(await (await POST(posted(new Blob([Uint8Array.from(picture)])))).json()).toEqual(narrow);
  expect((await POST(posted(new Blob(['no picture'])))).status).toBe(422);
  expect((await POST(posted('no file'))).status).toBe(400);
});

it('worker-pool', () => {
  const out = execFileSync(process.execPath, ['examples/worker-pool/pool.mjs', file, file, file], { encoding: 'utf8' });
  expect(out.trim().split('\n')).toEqual(new Array(3).fill(`${file} ${narrow.label} ${narrow.probability.toFixed(3)}`));
});

it.skipIf(!existsSync(CHROMIUM))('webcam-page', async () => {
  const { url, stop } = await running('examples/webcam-page/server.mjs');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
  });
  const page = await browser.newPage();
  await page.goto(url);
  await expect.poll(() => page.textContent('#answer'), { timeout: 90_000 }).toBe('no face');
  await browser.close();
  await stop();
});

it('are all listed', () => {
  const folders = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const readme = readFileSync('examples/README.md', 'utf8');
  const tests = ['test/examples.test.ts', 'test/interop/checks.mjs'].map((file) => readFileSync(file, 'utf8')).join();
  for (const { name } of folders) for (const text of [readme, tests]) expect(text).toContain(name);
});
