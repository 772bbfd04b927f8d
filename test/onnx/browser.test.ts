/** The same file in a browser: ONNX Runtime's WebAssembly build in Chromium. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env.CHROMIUM, ...BROWSERS].find((file) => file && existsSync(file));
if (!executablePath)
  console.warn(
    `No Chromium here (CHROMIUM, ${BROWSERS.join(', ')}): ONNX files are not run in a browser. Debian: apt-get install chromium`,
  );

const SITE = 'http://onnx.test';
const runtime = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));

describe.skipIf(!executablePath)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  it('an exported model gives the logits that it gives here', async () => {
    using model = await MiniXception.pretrained('narrow');
    const faces = syntheticFaces();
    const count = 8;
    const images = faces.images.slice(0, count * 48 * 48);
    const ours = await model.native.logits(images, count);
    const file = Buffer.from(await model.toOnnx({ uint8: true, dynamicBatch: true }));

    const page = await browser.newPage();
    const asked: string[] = [];
    await page.route('**/*', (route) => {
      const { origin, pathname } = new URL(route.request().url());
      asked.push(pathname);
      if (origin !== SITE) return route.abort();
      if (pathname === '/')
        return route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/ort.wasm.min.js"></script>' });
      if (pathname === '/model.onnx') return route.fulfill({ contentType: 'application/octet-stream', body: file });
      return route.fulfill({ path: path.join(runtime, path.basename(pathname)) });
    });
    await page.goto(`${SITE}/`);
    const theirs = await page.evaluate(
      async ([site, bytes, n]) => {
        const { ort } = globalThis as unknown as { ort: typeof import('onnxruntime-web') };
        ort.env.wasm.numThreads = 1;
        ort.env.wasm.wasmPaths = `${site}/`;
        const session = await ort.InferenceSession.create(`${site}/model.onnx`);
        const { logits } = await session.run({ pixel_values: new ort.Tensor('uint8', Uint8Array.from(bytes), [n, 1, 48, 48]) });
        return [...(logits.data as Float32Array)];
      },
      [SITE, [...images], count] as const,
    );
    expect(asked).toContain('/model.onnx');
    expect(theirs).toHaveLength(ours.length);
    expect(Math.max(...theirs.map((value, i) => Math.abs(value - ours[i])))).toBeLessThan(1e-4);
  });
});
