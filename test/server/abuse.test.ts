/** Strangers: each attempt has its status, opens no file, reaches no host, and leaves a server that answers as before. */
import { createServer, connect } from 'node:net';
import { request } from 'node:http';
import { deflateSync } from 'node:zlib';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../lib/server/serve.js';
import { sendMalformed } from './malformed.mjs';
import { encoded, form, post, postJson, SIZE, started } from './serving.js';

let server: RunningServer;
let folder: string;
let good: Buffer;
const at = (where: string): string => `${server.url}${where}`;

beforeAll(async () => {
  server = await started({ bodyLimit: 2, timeout: 2, maxImages: 8, pixelLimit: 4 });
  folder = mkdtempSync(path.join(tmpdir(), 'fer-abuse-'));
  good = await encoded(0);
  writeFileSync(path.join(folder, 'secret.png'), good);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});
afterEach(async () => {
  expect((await post(at('/v1/predict'), form([good]))).status).toBe(200);
});

/** The path as it is: fetch would tidy it. */
const raw = (where: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    request({ port: server.port, host: '127.0.0.1', path: where }, (response) => {
      let body = '';
      response.on('data', (piece) => (body += piece)).on('end', () => resolve({ status: response.statusCode!, body }));
    })
      .on('error', reject)
      .end();
  });

describe('paths and URLs', () => {
  it.each([
    '/../../etc/passwd',
    '/docs/../../../etc/passwd',
    '/docs/static/..%2f..%2f..%2f..%2fpackage.json',
    '/docs/static/%2e%2e/%2e%2e/package.json',
    '/page/..%2f..%2f..%2fpackage.json',
    '/%00',
    '//etc/passwd',
    '/v2/models/..%2f..%2fetc%2fpasswd',
  ])('opens nothing for %s', async (where) => {
    const { status, body } = await raw(where);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toMatch(/root:|"fer-cudnn",\s*"version"/);
  });

  it('opens no file and calls no host that a picture names', async () => {
    const calls: string[] = [];
    const host = createServer((socket) => void (calls.push('called'), socket.destroy()));
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(host.address() as { port: number }).port}/face.png`;
    const file = path.join(folder, 'secret.png');
    for (const given of [
      file,
      `file://${file}`,
      url,
      { data: file },
      { data: url },
      { path: file },
      { url },
      { pixels: url, width: 48, height: 48 },
    ]) {
      const { status } = await postJson(at('/v1/predict'), { image: given });
      expect([400, 422]).toContain(status);
    }
    for (const svg of [
      `<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}" width="9" height="9"/></svg>`,
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
    ])
      expect((await post(at('/v1/predict'), svg, { 'content-type': 'image/svg+xml' })).status).toBe(422);
    expect((await post(at(`/v1/predict?model=${encodeURIComponent(file)}`), form([good]))).status).toBe(404);
    expect(calls).toEqual([]);
    host.close();
  });
});

describe('bodies', () => {
  it('survives 400 malformed ones: none is answered 5xx', async () => {
    let sent = 0;
    await sendMalformed(server.url, 400, 1, (status, about) => {
      sent++;
      expect(status, about).toBeLessThan(500);
    });
    expect(sent).toBe(400);
  });

  it.each([
    [
      'a body that is too large',
      (): ReturnType<typeof post> => post(at('/v1/predict'), Buffer.alloc(3 << 20), { 'content-type': 'image/png' }),
      413,
    ],
    ['a file in a form that is too large', (): ReturnType<typeof post> => post(at('/v1/predict'), form([Buffer.alloc(3 << 20)])), 413],
    [
      'files in a form that are too large together',
      (): ReturnType<typeof post> => post(at('/v1/predict'), form([Buffer.alloc(1 << 20), Buffer.alloc(1 << 20), Buffer.alloc(1 << 19)])),
      413,
    ],
    ['too many pictures in a form', (): ReturnType<typeof post> => post(at('/v1/predict'), form(new Array(9).fill(good))), 413],
    [
      'too many pictures in JSON',
      (): ReturnType<typeof post> => postJson(at('/v1/predict'), { images: new Array(9).fill(good.toString('base64')) }),
      413,
    ],
    [
      'too many raw pictures',
      (): ReturnType<typeof post> => post(at('/v1/predict'), Buffer.alloc(9 * SIZE * SIZE), { 'content-type': 'application/octet-stream' }),
      413,
    ],
    [
      'a compressed body',
      (): ReturnType<typeof post> =>
        post(at('/v1/predict'), Buffer.alloc(9), { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
      400,
    ],
    [
      'a type that is not read',
      (): ReturnType<typeof post> => post(at('/v1/predict'), 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
    ],
    [
      '__proto__ in JSON',
      (): ReturnType<typeof post> =>
        post(at('/v1/predict'), '{"__proto__":{"a":1},"image":"aaaa"}', { 'content-type': 'application/json' }),
      400,
    ],
    [
      'a box outside the picture',
      (): ReturnType<typeof post> => post(at('/v1/predict?box=0,0,4000,4000'), good, { 'content-type': 'image/png' }),
      400,
    ],
    [
      'a perturbation without end',
      (): ReturnType<typeof post> =>
        postJson(at('/v1/perturb'), { image: good.toString('base64'), perturbations: new Array(17).fill({ type: 'blur', sigma: 5 }) }),
      400,
    ],
  ])('refuses %s', async (_, ask, status) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(answer.json.error.message).toMatch(/\S/);
  });

  it('sends away what takes too long to answer', async () => {
    await using hurried = await started({ timeout: 1 });
    const picture = await encoded(0, 'png', 1200);
    const perturbations = new Array(3).fill({ type: 'blur', sigma: 50 });
    const began = performance.now();
    const { status, json } = await postJson(`${hurried.url}/v1/perturb`, { image: picture.toString('base64'), perturbations });
    expect(status).toBe(503);
    expect(json.error).toEqual({ code: 'ERR_FER_TIMEOUT', message: 'the answer took too long' });
    expect(performance.now() - began).toBeLessThan(2500);
    expect((await post(`${hurried.url}/v1/predict`, form([good]))).status).toBe(200);
  });

  it('refuses a picture that is small as a file and huge in memory', async () => {
    const bomb = hugePng(20_000);
    expect(bomb.length).toBeLessThan(1 << 20);
    const before = process.memoryUsage.rss();
    for (const where of ['/v1/predict', '/v1/explain', '/v1/perturb']) {
      const { status, json } = await post(at(where), bomb, { 'content-type': 'image/png' });
      expect(status).toBe(422);
      expect(json.error.message).toContain('more than 4 million pixels');
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
  });
});

describe('slow clients', () => {
  /** What comes back on a connection that sends `pieces`, one every 200 ms, and how long it lives, seconds. */
  const slowly = (first: string, piece: string): Promise<{ answer: string; seconds: number }> =>
    new Promise((resolve) => {
      const began = performance.now();
      const socket = connect(server.port, '127.0.0.1', () => socket.write(first));
      let answer = '';
      const drip = setInterval(() => socket.write(piece), 200);
      socket.on('data', (bytes) => (answer += bytes.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(drip);
        resolve({ answer, seconds: (performance.now() - began) / 1000 });
      });
    });

  it('are cut off, in the head and in the body', async () => {
    const outcomes = await Promise.all([
      slowly('POST /v1/predict HTTP/1.1\r\nhost: a\r\n', 'x-a: b\r\n'),
      slowly('POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: image/png\r\ncontent-length: 100000\r\n\r\n', 'a'),
      slowly(
        'POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n--b\r\ncontent-disposition: form-data; name="i"; filename="a"\r\n\r\n',
        'a',
      ),
    ]);
    for (const { seconds, answer } of outcomes) {
      expect(seconds).toBeLessThan(8);
      expect(answer === '' || /^HTTP\/1.1 (408|503) /.test(answer), answer).toBe(true);
    }
  });

  it('do not keep others waiting', async () => {
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write('POST /v1/predict HTTP/1.1\r\nhost: a\r\n'));
      return socket.on('error', () => undefined);
    });
    expect((await fetch(at('/healthz'))).status).toBe(200);
    expect((await post(at('/v1/predict'), form([good]))).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('that go away give their place back', async () => {
    await using small = await started({ queue: 2 });
    const picture = await encoded(0, 'jpeg', 1500);
    for (let i = 0; i < 6; i++) {
      const away = new AbortController();
      const asked = fetch(`${small.url}/v1/predict`, {
        method: 'POST',
        body: Uint8Array.from(picture),
        headers: { 'content-type': 'image/jpeg' },
        signal: away.signal,
      });
      setTimeout(() => away.abort(), 5);
      await asked.catch(() => undefined);
    }
    await expect.poll(async () => (await (await fetch(`${small.url}/metrics`)).text()).includes('fer_requests_under_way 0')).toBe(true);
    expect((await post(`${small.url}/v1/predict`, form([good]))).status).toBe(200);
  });
});

/** A valid PNG of side x side black pixels. */
function hugePng(side: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head[8] = 1;
  const rows = deflateSync(Buffer.alloc(side * (side / 8 + 1)));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

function crc(bytes: Buffer): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}
