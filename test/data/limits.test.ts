/** What would never end, or take all memory: refused at once, by an error with a code. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decodeImage } from '../../lib/data/image.js';
import { loadDataSet } from '../../lib/data/registry.js';
import { native } from '../../lib/native.js';
import { readModelFile } from '../../lib/network/model-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-limits-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, content: string | Uint8Array): string => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};

describe('regular files only', () => {
  /** A FIFO and a socket under any name: opening the first for reading would wait for ever. */
  const fifo = (name: string): string => {
    execFileSync('mkfifo', [path.join(folder, name)]);
    return path.join(folder, name);
  };

  it('refuses a FIFO as picture, data set and model', async () => {
    const refused = { code: 'ERR_FER_DATA_NOT_FOUND', message: expect.stringContaining('expected a regular file, got a FIFO') as string };
    await expect(decodeImage(fifo('p.jpg'), { size: 48 })).rejects.toMatchObject(refused);
    for (const name of ['d.csv', 'd.csv.gz', 'd.parquet', 'd.fer']) await expect(loadDataSet(fifo(name))).rejects.toMatchObject(refused);
    await expect(readModelFile(fifo('m.safetensors'))).rejects.toMatchObject(refused);
  });

  it('refuses one inside a folder of pictures', async () => {
    for (const name of ['happy', 'sad']) {
      mkdirSync(path.join(folder, 'set', 'train', name), { recursive: true });
      fifo(path.join('set', 'train', name, 'a.png'));
      fifo(path.join('set', 'train', name, 'no-picture'));
    }
    await expect(loadDataSet(path.join(folder, 'set'))).rejects.toThrow(/a\.png cannot be read: expected a regular file, got a FIFO/);
  });

  it('refuses devices, sockets and folders', async () => {
    await expect(decodeImage('/dev/zero', { size: 48 })).rejects.toThrow('/dev/zero cannot be read: expected a regular file, got a device');
    await expect(decodeImage(folder, { size: 48 })).rejects.toThrow(/expected a regular file, got a folder/);
    const socket = path.join(folder, 's.png');
    const server = createServer().listen(socket);
    await new Promise((done) => server.once('listening', done));
    await expect(decodeImage(socket, { size: 48 })).rejects.toThrow(/expected a regular file, got a socket/);
    server.close();
  });
});

describe('pictures', () => {
  const svg = (side: number, inside: string): Buffer =>
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">${inside}</svg>`);
  const blurs = '<feGaussianBlur stdDeviation="9"/>'.repeat(200);

  it.each([
    ['200 blurs', svg(4000, `<filter id="f">${blurs}</filter><rect width="4000" height="4000" filter="url(#f)"/>`), 'it uses filter'],
    ['a blur in CSS', svg(4000, '<rect width="9" height="9" style="filter: blur(50px)"/>'), 'it uses filter'],
    ['the same under a prefix', svg(40, '<s:feGaussianBlur xmlns:s="http://www.w3.org/2000/svg"/>'), 'it uses feGaussianBlur'],
    ['copies of copies', svg(40, '<g id="a"/><use href="#a"/>'), 'it uses use'],
    [
      'an entity',
      Buffer.from('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'),
      'it uses <!ENTITY',
    ],
    ['1,000 layers of 4,000 x 4,000', svg(4000, '<g opacity=".5"><path d="M0 0h9"/></g>'.repeat(1000)), 'tags for 16000000 pixels'],
  ])('refuses an SVG with %s in less than a second', async (_, bytes, reason) => {
    const started = performance.now();
    await expect(decodeImage(bytes, { size: 48 })).rejects.toMatchObject({
      code: 'ERR_FER_IMAGE_FORMAT',
      message: expect.stringContaining(reason) as string,
    });
    expect(performance.now() - started).toBeLessThan(3000); // under load
  });

  it('draws a plain SVG', async () => {
    const pixels = await decodeImage(svg(96, '<rect width="96" height="96" fill="#fff"/><circle cx="48" cy="48" r="20"/>'), { size: 48 });
    expect([pixels[0], pixels[24 * 48 + 24]]).toEqual([255, 0]);
  });

  it('refuses more than 100 million pixels', async () => {
    const png = await sharp({ create: { width: 10_001, height: 10_000, channels: 3, background: '#000' }, limitInputPixels: false })
      .png()
      .toBuffer();
    await expect(decodeImage(png, { size: 48 })).rejects.toThrow(/it has more than 100 million pixels/);
  });
});

describe('bombs', () => {
  it('stops at a gzip whose line does not end', async () => {
    const file = write('zeros.csv.gz', gzipSync(Buffer.alloc(64 << 20)));
    const before = process.memoryUsage.rss();
    await expect(loadDataSet(file, { cache: false })).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: `${file}, line 1: expected lines of at most 8388608 bytes, got a longer one`,
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 << 20);
  });

  const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  /** A .fer of these bytes, whatever they are. */
  const fer = (name: string, packed: Buffer): string =>
    write(name, Buffer.concat([Buffer.from('FERCOMP1'), Buffer.alloc(32), brotliCompressSync(packed, QUICK)]));
  const packed = (header: object, rest: Buffer): Buffer => {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return Buffer.concat([Buffer.from('FERPACK1'), length, json, rest]);
  };
  const facts = { name: 'x', source: 'x', synthetic: false, classes: ['a', 'b'], size: 48, notes: [], badRows: [], count: 1, splits: [] };

  it('unpacks a .fer no further than its header declares', async () => {
    for (const [name, content] of [
      ['long.fer', packed(facts, Buffer.alloc(64 << 20))],
      ['headless.fer', Buffer.alloc(64 << 20)],
      ['long-header.fer', Buffer.concat([Buffer.from('FERPACK1'), Buffer.from([255, 255, 255, 255]), Buffer.alloc(64 << 20)])],
    ] as const) {
      const before = process.memoryUsage.rss();
      await expect(loadDataSet(fer(name, content), { cache: false })).rejects.toMatchObject({ code: 'ERR_FER_DATA_FORMAT' });
      expect(process.memoryUsage.rss() - before).toBeLessThan(48 << 20);
    }
  });

  it('asks for memory before it takes it', async () => {
    const file = fer('huge.fer', packed({ ...facts, count: 2 ** 32 }, Buffer.alloc(100)));
    await expect(loadDataSet(file, { cache: false })).rejects.toMatchObject({
      code: 'ERR_FER_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^a data set of 4294967296 images needs \d+ MB of memory, and this process may take \d+ MB more$/,
      ) as string,
    });
    expect(() => native().requireMemory(1 << 20, 'a megabyte')).not.toThrow();
  });
});
