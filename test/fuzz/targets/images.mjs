/** Pictures of every form that sharp decodes, one target a form. */
import sharp from 'sharp';
import assert from 'node:assert/strict';
import { decodeImage } from '../../../dist/index.js';
import { mutatedBytes } from '../mutations.mjs';

const SIZE = 16;
const picture = () =>
  sharp(Buffer.from(Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 31) % 256)), { raw: { width: 40, height: 30, channels: 3 } });

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" viewBox="0 0 40 30"><defs><filter id="f"><feGaussianBlur
stdDeviation="2"/></filter><linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient></defs><rect width="40" height="30"
fill="url(#g)" filter="url(#f)"/><g transform="rotate(20) scale(1.5)"><path d="M1 2 C3 4 5 6 7 8 Z"/><text x="3" y="9">a</text></g></svg>`;

const image = (name, seed) => ({
  name,
  prepare: async () => mutatedBytes([await seed()]),
  async run(bytes) {
    const grey = await decodeImage(bytes, { size: SIZE });
    assert.equal(grey.length, SIZE * SIZE);
  },
});

export const jpeg = image('jpeg', () => picture().jpeg().toBuffer());
export const png = image('png', () => picture().png().toBuffer());
export const gif = image('gif', () => picture().gif().toBuffer());
export const webp = image('webp', () => picture().webp().toBuffer());
export const svg = image('svg', () => Buffer.from(SVG));
