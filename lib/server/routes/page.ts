/** `GET /`: the page. Its files are listed: nothing else of this package can be asked for. */
import { readFile } from 'node:fs/promises';
import type { FastifyReply } from 'fastify';
import type { Routes } from './route.js';

/** Of the package's folder dist/, by the paths that imports between them take. */
const MODULES = ['server/page/page.js', 'server/page/api.js', 'server/page/sliders.js', 'explain/colours.js'];
const FILES: Readonly<Record<string, string>> = { '/': 'index.html', '/page/style.css': 'style.css' };
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** The page may ask this server alone. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; " +
  "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

export const pageRoutes: Routes = (app) => {
  const give = async (reply: FastifyReply, file: string): Promise<FastifyReply> => {
    const bytes = await readFile(new URL(`../../${file}`, import.meta.url));
    return reply
      .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache', 'permissions-policy': 'camera=(self), microphone=()' })
      .type(TYPES[file.slice(file.lastIndexOf('.') + 1)])
      .send(bytes);
  };
  const hidden = { schema: { hide: true } };
  for (const [path, file] of Object.entries(FILES)) app.get(path, hidden, (_, reply) => give(reply, `server/page/${file}`));
  for (const module of MODULES) app.get(`/modules/${module}`, hidden, (_, reply) => give(reply, module));
};
