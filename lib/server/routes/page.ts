/** `GET /`: the page. Its files are listed: nothing else of this package can be asked for. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import { blazeFacePaths } from '../../faces/files.js';
import { browserRuntimeFolder } from '../libraries.js';
import type { Routes } from './route.js';

/** Of the package's folder dist/, by the paths that imports between them take. */
const MODULES = [
  ...['page', 'api', 'sliders', 'local', 'local-worker', 'perturb', 'philox'].map((name) => `server/page/${name}.js`),
  ...['explain/colours.js', 'data/grey.js', 'data/stretch.js', 'faces/align.js', 'faces/blazeface.js', 'faces/graph.js', 'slices.js'],
];
const FILES: Readonly<Record<string, string>> = { '/': 'index.html', '/page/style.css': 'style.css' };
/** Of optional packages, for answers without the server. They throw where the package is missing. */
const PACKAGED: Readonly<Record<string, () => string>> = {
  '/page/onnxruntime/ort.mjs': () => path.join(browserRuntimeFolder(), 'ort.wasm.bundle.min.mjs'),
  '/page/onnxruntime/ort.wasm': () => path.join(browserRuntimeFolder(), 'ort-wasm-simd-threaded.wasm'),
  '/page/faces/graph.json': () => blazeFacePaths().graph,
  '/page/faces/weights.bin': () => blazeFacePaths().weights,
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.bin': 'application/octet-stream',
};

/** The page may ask this server alone. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; " +
  "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

export const pageRoutes: Routes = (app) => {
  const give = async (reply: FastifyReply, file: string): Promise<FastifyReply> => {
    const bytes = await readFile(file);
    return reply
      .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache', 'permissions-policy': 'camera=(self), microphone=()' })
      .type(TYPES[path.extname(file)])
      .send(bytes);
  };
  const hidden = { schema: { hide: true } };
  const own = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
  for (const [at, file] of Object.entries(FILES)) app.get(at, hidden, (_, reply) => give(reply, own(`server/page/${file}`)));
  for (const module of MODULES) app.get(`/modules/${module}`, hidden, (_, reply) => give(reply, own(module)));
  for (const [at, file] of Object.entries(PACKAGED)) app.get(at, hidden, async (_, reply) => give(reply, file()));
};
