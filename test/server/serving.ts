/** A server for a test, and pictures to send it. */
import sharp from 'sharp';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { serve, type RunningServer } from '../../lib/server/serve.js';
import type { ServeOptions } from '../../lib/server/options.js';

export const SIZE = 48;
const faces = syntheticFaces();

/** Grey pixels of a drawn face. */
export const face = (row: number): Uint8Array => faces.images.slice(row * SIZE * SIZE, (row + 1) * SIZE * SIZE);

export const encoded = (row: number, format: 'png' | 'jpeg' | 'webp' = 'png', side = SIZE): Promise<Buffer> =>
  sharp(face(row), { raw: { width: SIZE, height: SIZE, channels: 1 } })
    .resize(side)
    .toFormat(format)
    .toBuffer();

export const started = (options: ServeOptions = {}): Promise<RunningServer> => serve({ port: 0, ...options });

export interface Reply {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json: any;
  headers: Headers;
}

export async function post(url: string, body: Uint8Array | string | FormData, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', body: body as BodyInit, headers });
  return { status: response.status, json: await response.json(), headers: response.headers };
}

export const postJson = (url: string, value: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  post(url, JSON.stringify(value), { 'content-type': 'application/json', ...headers });

export const form = (files: readonly Uint8Array[], fields: Record<string, string> = {}): FormData => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  files.forEach((bytes, i) => data.append('image', new Blob([Uint8Array.from(bytes)]), `${i}.png`));
  return data;
};
