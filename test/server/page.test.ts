/** The page in a real browser; skipped where there is none. FER_CHROMIUM names another than /usr/bin/chromium. */
import AxeBuilder from 'axe-core';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// Its threads and its page run what is built.
import { serve } from '../../dist/server/serve.js';
import type { RunningServer } from '../../lib/server/serve.js';
import { post } from './serving.js';

const CHROMIUM = process.env.FER_CHROMIUM ?? '/usr/bin/chromium';
const missing = !existsSync(CHROMIUM);
if (missing) console.log(`skipped: there is no Chromium at ${CHROMIUM}`);
const PICTURES = path.resolve('build', 'page');

let server: RunningServer;
let browser: Browser;
let photo: Buffer;
const outside: string[] = [];

async function opened(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, permissions: ['camera'], ...options });
  const page = await context.newPage();
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['blob:', 'data:'].includes(url.protocol) && url.origin !== server.url) outside.push(request.url());
  });
  page.on('pageerror', (error) => outside.push(String(error)));
  await page.goto(server.url);
  await page.waitForSelector('body[data-ready]');
  return page;
}

const upload = async (page: Page): Promise<void> => {
  await page.setInputFiles('#file', { name: 'photo.png', mimeType: 'image/png', buffer: photo });
  await page.waitForSelector('#bars li.most', { timeout: 90_000 });
};
const bars = (page: Page): Promise<string[]> => page.locator('#bars output').allTextContents();

/** The browser's own: what of the page is not for everyone. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AxeBuilder.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

describe.skipIf(missing)('the page', () => {
  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    const assets = path.join(path.dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'assets');
    photo = await sharp(path.join(assets, 'samples.jpg')).extract({ left: 330, top: 0, width: 210, height: 155 }).png().toBuffer();
    server = await serve({ port: 0 });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('finds the face on a photo and says what it shows', async () => {
    const page = await opened();
    await upload(page);
    expect(await page.locator('#boxes button').count()).toBe(1);
    const shares = (await bars(page)).map(Number.parseFloat);
    expect(shares).toHaveLength(7);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(100, 0);
    await page.screenshot({ path: path.join(PICTURES, 'photo.png'), fullPage: true });
    expect(await faults(page)).toEqual([]);
    await page.context().close();
  });

  it('turns and dims it: bars, curve and picture follow, and go back', async () => {
    const page = await opened();
    await upload(page);
    const before = await bars(page);
    const seen = (): Promise<string> => page.evaluate(() => (document.getElementById('seen') as HTMLCanvasElement).toDataURL());
    const unturned = await seen();
    await page.locator('#slider-rotation').focus();
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowRight');
    await expect.poll(() => bars(page), { timeout: 20_000 }).not.toEqual(before);
    expect(await page.locator('#slider-rotation').inputValue()).toBe('30');
    expect(await page.locator('#slider-rotation-accuracy').textContent()).toBe('right at this strength: 45 %');
    expect(await seen()).not.toBe(unturned);
    await page.locator('#slider-brightness').fill('0.3');
    await expect.poll(() => page.locator('#slider-brightness-accuracy').textContent()).toBe('right at this strength: 59 %');
    await page.screenshot({ path: path.join(PICTURES, 'turned.png'), fullPage: true });
    await page.click('#reset');
    await expect.poll(() => bars(page), { timeout: 20_000 }).toEqual(before);
    await page.uncheck('#cam');
    expect(await seen()).not.toBe(unturned);
    await page.selectOption('#model', 'robust');
    await expect.poll(() => bars(page), { timeout: 60_000 }).not.toEqual(before);
    await page.context().close();
  });

  it('takes what is dropped and pasted, and says so where it is no picture', async () => {
    const page = await opened();
    const give = (kind: 'drop' | 'paste', bytes: number[], type: string): Promise<void> =>
      page.evaluate(
        ([kind, bytes, type]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], 'photo', { type }));
          const event = kind === 'drop' ? new DragEvent('drop', { dataTransfer: data, bubbles: true }) : new ClipboardEvent('paste', { clipboardData: data, bubbles: true }); // prettier-ignore
          document.body.dispatchEvent(event);
        },
        [kind, bytes, type] as const,
      );
    await give('drop', [1, 2, 3], 'image/png');
    await expect.poll(() => page.textContent('#status')).toBe('This is not a picture that can be shown here.');
    await give('drop', [...photo], 'image/png');
    await page.waitForSelector('#bars li.most', { timeout: 90_000 });
    await page.reload();
    await page.waitForSelector('body[data-ready]');
    await give('paste', [...photo], 'image/png');
    await page.waitForSelector('#bars li.most', { timeout: 90_000 });
    await page.context().close();
  });

  it('looks through the webcam, until it is frozen', async () => {
    const page = await opened();
    await page.click('#webcam');
    // Chromium's fake camera shows no face.
    await expect.poll(() => page.textContent('#status'), { timeout: 90_000 }).toBe('No face was found.');
    expect(await page.locator('#video').isVisible()).toBe(true);
    await page.click('#freeze');
    expect(await page.locator('#video').isVisible()).toBe(false);
    expect(await page.getAttribute('#webcam', 'aria-pressed')).toBe('false');
    await page.context().close();
  });

  it.each([
    ['dark', { colorScheme: 'dark' as const }],
    ['phone', { viewport: { width: 360, height: 760 } }],
  ])('is for everyone: %s', async (name, options) => {
    const page = await opened(options);
    await upload(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.locator('summary').click();
    expect(await faults(page)).toEqual([]);
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
    await page.context().close();
  });

  it('answers by itself, as the server does, also where there is no network', async () => {
    const page = await opened();
    await upload(page);
    const read = async (): Promise<{ shares: number[]; seen: number[]; box: string }> => ({
      shares: (await bars(page)).map(Number.parseFloat),
      // The middles of its 48 x 48 pixels.
      seen: await page.evaluate(() => {
        const { data } = (document.getElementById('seen') as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 240, 240);
        return Array.from({ length: 48 * 48 }, (_, i) => data[4 * (240 * (5 * Math.floor(i / 48) + 2) + 5 * (i % 48) + 2)]);
      }),
      box: (await page.locator('#boxes button').getAttribute('style'))!,
    });
    const turned = async (degrees: string, factor: string): Promise<void> => {
      await page.locator('#slider-rotation').fill(degrees);
      await page.locator('#slider-brightness').fill(factor);
      await page.locator('#slider-noise').evaluate((input: HTMLInputElement, value) => {
        input.value = value;
        input.dispatchEvent(new Event('input'));
      }, degrees);
    };
    const settled = (): Promise<unknown> => page.waitForSelector('main[aria-busy=false]', { timeout: 60_000 });
    await page.uncheck('#cam');
    const strengths: [string, string][] = [['0', '1'], ['17', '0.6'], ['-30', '1.9']]; // prettier-ignore
    const theirs: Awaited<ReturnType<typeof read>>[] = [];
    for (const strength of strengths) {
      await turned(...strength);
      await settled();
      theirs.push(await read());
    }
    await page.check('input[value=browser]');
    await page.waitForSelector('body[data-from=browser]', { timeout: 60_000 });
    expect(await page.isDisabled('#cam')).toBe(true);
    expect(await page.isDisabled('#slider-jpeg')).toBe(true);
    await page.context().setOffline(true);
    const asked: string[] = [];
    page.on('request', (request) => void (/^(blob|data):/.test(request.url()) || asked.push(request.url())));
    await page.setInputFiles('#file', { name: 'again.png', mimeType: 'image/png', buffer: photo });
    await page.waitForSelector('#bars li.most', { timeout: 90_000 });
    for (const [i, strength] of strengths.entries()) {
      await turned(...strength);
      await settled();
      const own = await read();
      expect(own.box).toBe(theirs[i].box);
      const off = own.seen.map((value, k) => Math.abs(value - theirs[i].seen[k]));
      expect(Math.max(...off)).toBe(0);
      own.shares.forEach((share, k) => expect(Math.abs(share - theirs[i].shares[k])).toBeLessThanOrEqual(0.11));
      console.log(`browser ${own.shares.join(' ')}, server ${theirs[i].shares.join(' ')}`);
    }
    await page.click('#reset');
    const jpeg = await sharp(photo).jpeg({ quality: 90 }).toBuffer();
    await page.setInputFiles('#file', { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: jpeg });
    await settled();
    const own = await read();
    const { faces: [{ seen, prediction }] } = (await post(`${server.url}/v1/predict?faces=true`, jpeg, { 'content-type': 'image/jpeg' })).json.predictions[0]; // prettier-ignore
    const off = own.seen.map((value, k) => Math.abs(value - Buffer.from(seen, 'base64')[k]));
    expect(Math.max(...off)).toBe(0);
    const shares = Object.values(prediction.probabilities as Record<string, number>);
    own.shares.forEach((share, k) => expect(Math.abs(share - 100 * shares[k])).toBeLessThanOrEqual(1));
    await page.selectOption('#model', 'robust');
    await settled();
    expect(await page.locator('#boxes button').count()).toBe(1);
    await page.screenshot({ path: path.join(PICTURES, 'browser.png'), fullPage: true });
    expect(await faults(page)).toEqual([]);
    expect(asked).toEqual([]);
    await page.context().close();
  });

  it('says what to install where the server cannot give the browser what it needs, and goes on', async () => {
    const hide = path.join(PICTURES, 'hide.cjs');
    writeFileSync(hide, `const m = require('node:module'); const own = m._resolveFilename; m._resolveFilename = (name, ...rest) => { if (name.startsWith('onnxruntime-web')) throw Object.assign(new Error('hidden'), { code: 'MODULE_NOT_FOUND' }); return own(name, ...rest); };`); // prettier-ignore
    const child = spawn(process.execPath, [`--require=${hide}`, 'dist/cli/main.js', 'serve', '--port', '0', '--log-level', 'silent']);
    const url = await new Promise<string>((resolve) =>
      child.stdout.on('data', (bytes: Buffer) => resolve(/http\S+/.exec(bytes.toString())![0])),
    );
    const page = await (await browser.newContext()).newPage();
    await page.goto(url);
    await page.waitForSelector('body[data-ready]');
    await page.click('input[value=browser]');
    await expect
      .poll(() => page.textContent('#status'))
      .toBe('answers in the browser need a package that is not installed beside the server: npm install onnxruntime-web');
    expect(await page.isChecked('input[value=server]')).toBe(true);
    await upload(page);
    await page.context().close();
    child.kill();
  });

  it('asks for the token where the server has one', async () => {
    const guarded = await serve({ port: 0, token: 'a-secret-token' });
    const page = await (await browser.newContext()).newPage();
    await page.goto(guarded.url);
    await page.waitForSelector('#token-form:not([hidden])');
    await page.fill('#token', 'a-secret-token');
    await page.press('#token', 'Enter');
    await page.waitForSelector('body[data-ready]');
    await page.check('input[value=browser]');
    await page.waitForSelector('body[data-from=browser]', { timeout: 60_000 });
    await page.context().close();
    await guarded.close();
  });

  it('asks no other host for anything, and has no error', () => expect(outside).toEqual([]));
});
