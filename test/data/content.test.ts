/** Contents decide: what a file is, whatever it is called, and what to do with one that is no use here. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentOf } from '../../lib/data/content.js';
import { readPicture } from '../../lib/data/image.js';
import { loadDataSet } from '../../lib/data/registry.js';
import { readModelFile } from '../../lib/network/model-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-content-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** A bitmap of 2x2 pixels by hand: file header, info header, two rows padded to four bytes. */
const bmp = Buffer.alloc(70);
bmp.write('BM');
bmp.writeUInt32LE(70, 2);
bmp.writeUInt32LE(54, 10);
bmp.writeUInt32LE(40, 14);
bmp.writeInt32LE(2, 18);
bmp.writeInt32LE(2, 22);
bmp.writeUInt16LE(1, 26);
bmp.writeUInt16LE(24, 28);

const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(40)]);
const appleDouble = Buffer.concat([Buffer.from([0, 5, 0x16, 7, 0, 2, 0, 0]), Buffer.from('Mac OS X        '), Buffer.alloc(40)]);
const tar = (name: string, content: string): Buffer => {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return execFileSync('tar', ['-C', folder, '-cf', '-', name]);
};
const picture = (format: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif'): Promise<Buffer> =>
  sharp({ create: { width: 64, height: 64, channels: 3, background: '#777' } })
    .toFormat(format)
    .toBuffer();

describe('contentOf', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('knows %s as sharp writes it', async (format) => {
    expect(contentOf(await picture(format))).toMatchObject({
      picture: true,
      name: expect.stringMatching(new RegExp(format, 'i')) as string,
    });
  });

  it('knows an SVG behind comments, and no text', () => {
    expect(contentOf(Buffer.from('<?xml version="1.0"?>\n<!-- made by hand -->\n<svg width="8">'))?.picture).toBe(true);
    // Would take longer than the sun burns where comments could end at more than one place.
    expect(contentOf(Buffer.from(`${'<!---->'.repeat(70)}<html>`))).toBeUndefined();
    for (const text of ['emotion,pixels,Usage', 'import torch\n', '<html><body>', '']) expect(contentOf(Buffer.from(text))).toBeUndefined();
  });
});

describe('pictures', () => {
  it.each([
    ['a.bmp', bmp, 'it is a BMP picture: convert it to JPEG or PNG'],
    ['bmp-inside.jpg', bmp, 'it is a BMP picture: convert it to JPEG or PNG'],
    ['a.heic', heic, 'it is a HEIC picture: convert it to JPEG or PNG'],
    ['heic-inside.jpg', heic, 'it is a HEIC picture: convert it to JPEG or PNG'],
    ['._x.jpg', appleDouble, 'macOS\'s note beside a file (AppleDouble): delete it; the file itself has the name without "._"'],
    ['empty.png', '', 'it is empty'],
    ['text.jpg', 'no picture', 'its content is of no form that is read here'],
    ['archive.jpg', gzipSync('x'), 'it is gzip: decompress it first'],
  ])('%s gets one line of advice', async (name, content, reason) => {
    const file = write(name, content);
    const error = await readPicture(file).catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'ERR_FER_IMAGE_FORMAT', details: { file } });
    expect((error as Error).message).toContain(`${file} is not a readable image: `);
    expect((error as Error).message).toContain(reason);
    expect((error as Error).message).not.toContain('\n');
  });

  it.each(['png', 'jpeg', 'webp', 'tiff'] as const)('says of a %s that was cut off what happened, not "Unknown error"', async (format) => {
    const noise = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * 7919) % 251);
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 1 } })
      .toFormat(format)
      .toBuffer();
    for (const share of [0.5, 0.9]) {
      const error = (await readPicture(whole.subarray(0, whole.length * share)).catch((e: Error) => e)) as Error;
      expect(error.message).toMatch(/damaged or cut short/);
      expect(error.message).not.toMatch(/unknown error/i);
    }
  });

  it('reads .jfif and a picture without an extension', async () => {
    for (const name of ['a.jfif', 'extensionless']) expect((await readPicture(write(name, await picture('jpeg')))).width).toBe(64);
  });
});

describe('data sets', () => {
  it.each([
    [
      'data.tar',
      () => tar('inside.csv', 'emotion,pixels,Usage\n'),
      'is a tar archive: unpack it (tar xf) and name the file or folder inside',
    ],
    ['data.tar.gz', () => gzipSync(tar('inside.csv', 'emotion,pixels,Usage\n')), 'its content is a tar archive: unpack it'],
    ['data.zip', () => Buffer.from('PK\x03\x04........'), 'is a ZIP archive: unpack it'],
    ['fer2013.csv.bz2', () => Buffer.from('BZh91AY&SY....'), 'is bzip2: decompress it first'],
    ['weights.hdf5', () => Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), 'is HDF5: name it as a model'],
    ['nothing', () => Buffer.alloc(0), 'is empty'],
    ['photo.jpg', () => picture('jpeg'), 'is a JPEG picture'],
    [
      'fer2013new.csv',
      () => Buffer.from('Usage,Image name,neutral,happiness\nTraining,fer0000000.png,4,0\n'),
      "has FER+'s votes and no pixels: put fer2013.csv or fer2013.csv.gz beside it",
    ],
    ['test.csv', () => Buffer.from('pixels\n1 2 3\n'), "Kaggle's test.csv has no labels: take train.csv, fer2013.csv"],
    ['pointer.csv', () => Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'is a pointer of Git LFS: fetch the file itself'],
  ])('%s gets one line of advice', async (name, content, reason) => {
    const file = write(name, await content());
    await expect(loadDataSet(file, { cache: false })).rejects.toMatchObject({
      code: 'ERR_FER_DATA_FORMAT',
      message: expect.stringContaining(reason) as string,
      details: { file },
    });
  });

  it('counts what it leaves out of folders, and takes pictures by their content', async () => {
    const root = path.join(folder, 'folders');
    for (const split of ['train', 'test'])
      for (const name of ['happy', 'sad']) {
        mkdirSync(path.join(root, split, name), { recursive: true });
        writeFileSync(path.join(root, split, name, 'face'), await picture('png'));
        writeFileSync(path.join(root, split, name, 'b.jfif'), await picture('jpeg'));
        writeFileSync(path.join(root, split, name, '._b.jfif'), appleDouble);
        writeFileSync(path.join(root, split, name, 'notes.txt'), 'none');
      }
    const data = await loadDataSet(root);
    expect(data.labels.length).toBe(8);
    expect(data.notes).toContainEqual(
      `8 files that are no pictures were left out, the first of them ${path.join(root, 'train', 'happy', '._b.jfif')}`,
    );
  });
});

/** The beginning of an archive whose first entry has this name. */
function zip(name: string): Buffer {
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), Buffer.alloc(40)]);
}

describe('models', () => {
  it('an ONNX file of another program is told whose it is', async () => {
    const file = write('model.onnx', Buffer.from('\x08\x08\x12\x07pytorch\x1a\x052.1.0', 'latin1'));
    await expect(readModelFile(file)).rejects.toThrow(`${file} is an ONNX model of "pytorch", not one that fer-cudnn exported`);
  });

  it('a folder of TensorFlow is told what it is, another that it is none', async () => {
    const saved = path.join(folder, 'saved');
    mkdirSync(path.join(saved, 'variables'), { recursive: true });
    await expect(readModelFile(saved)).rejects.toThrow(`model ${saved} cannot be read: expected a regular file, got a folder`);
    writeFileSync(path.join(saved, 'saved_model.pb'), '');
    await expect(readModelFile(saved)).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining(`${saved} is no model that this program can read: it is a TensorFlow SavedModel`) as string,
    });
  });

  it.each([
    ['model.py', '"A net."\nimport torch\nclass Net: pass\n', 'it is a program in Python: run it, and name the file of weights'],
    ['notes.txt', 'nothing at all', 'it is a text; models are .safetensors'],
    ['model.pth', zip('archive/data.pkl'), 'it is a PyTorch file: its weights have to come as safetensors'],
    ['resnet.pt', zip('resnet/version'), 'it is a PyTorch file'],
    ['model.keras', zip('metadata.json'), 'it is a Keras 3 archive (.keras): load it in Keras and save it as HDF5: model.save("model.h5")'],
    ['other.zip', zip('photo.jpg'), 'it is a ZIP archive: unpack it'],
    ['old.pt', Buffer.from([0x80, 2, 0x8a, 10, 108, 252, 156, 70, 249, 32, 106, 168]), 'it is a Python pickle: PyTorch writes such'],
    ['model.tflite', Buffer.from('\x1c\0\0\0TFL3\x14\0', 'latin1'), 'it is a TensorFlow Lite model'],
    [
      'saved_model.pb',
      Buffer.from('\x08\x01\x12\xf1\x8b\x0a\x0a\x0b\x0a', 'latin1'),
      "it is TensorFlow's saved_model.pb: load it in Keras",
    ],
    ['lfs.h5', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'it is a pointer of Git LFS: fetch the file itself'],
    ['face.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0]), 'it is a JPEG picture'],
  ])('%s is told what it is', async (name, content, reason) => {
    const file = write(name, content);
    await expect(readModelFile(file)).rejects.toMatchObject({
      code: 'ERR_FER_MODEL_FORMAT',
      message: expect.stringContaining(`${file} is no model that this program can read: ${reason}`) as string,
    });
  });
});
