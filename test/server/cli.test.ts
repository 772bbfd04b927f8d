/** `fer-cudnn serve`. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SERVER_PACKAGES } from '../../lib/server/libraries.js';
import { encoded, form, post } from './serving.js';

const MAIN = path.resolve('dist/cli/main.js');
let folder: string;
beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'fer-serve-'))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Running {
  url: string;
  stop: (signal: NodeJS.Signals) => Promise<number | null>;
  stderr: () => string;
}

function running(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', ...args], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return new Promise((resolve, reject) => {
    void ended.then((status) => reject(new Error(`ended with ${status}: ${stderr}`)));
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
      const url = /serving on (\S+)/.exec(stdout)?.[1];
      if (url) resolve({ url, stderr: () => stderr, stop: (signal) => (child.kill(signal), ended) });
    });
  });
}

it.each(['SIGTERM', 'SIGINT'] as const)('answers, logs JSON lines, and ends by %s', async (signal) => {
  const server = await running(['--model', 'robust']);
  const { json } = await post(`${server.url}/v1/predict`, form([await encoded(0)]));
  expect(json.model).toBe('robust');
  expect(await server.stop(signal)).toBe(0);
  const lines = server.stderr().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); // prettier-ignore
  expect(lines.find(({ route }) => route === '/v1/predict')).toMatchObject({ method: 'POST', status: 200, level: 30 });
});

it('takes its token from a file or the environment, and warns where there is none', async () => {
  const file = path.join(folder, 'token');
  writeFileSync(file, 'from-a-file-1\n');
  const byFile = await running(['--token-file', file, '--log-level', 'silent']);
  const byEnvironment = await running(['--log-level', 'silent'], { FER_SERVER_TOKEN: 'from-the-environment' });
  const ask = async ({ url }: Running, token: string): Promise<number> => (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status; // prettier-ignore
  expect(await ask(byFile, 'from-a-file-1')).toBe(200);
  expect(await ask(byFile, 'from-the-environment')).toBe(401);
  expect(await ask(byEnvironment, 'from-the-environment')).toBe(200);
  await Promise.all([byFile.stop('SIGTERM'), byEnvironment.stop('SIGTERM')]);
  const open = await running(['--host', '0.0.0.0', '--log-level', 'silent']);
  await open.stop('SIGTERM');
  expect(open.stderr()).toContain('note: without a token');
});

const failing = (args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stderr: string } =>
  spawnSync(process.execPath, [MAIN, 'serve', '--port', '0', ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

it('refuses what it cannot serve', () => {
  expect(failing(['--queue', '0'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--queue') });
  expect(failing(['--model', 'absent'])).toMatchObject({ status: 1, stderr: expect.stringContaining('narrow, robust or a file') });
});

it.each(SERVER_PACKAGES)('says in one line what to install where %s is missing', (name) => {
  const hide = path.join(folder, 'hide.mjs');
  writeFileSync(
    hide,
    `import { register } from 'node:module';
     register('data:text/javascript,' + encodeURIComponent(\`export async function resolve(specifier, context, next) {
       if (specifier === ${JSON.stringify(name)}) throw Object.assign(new Error('hidden'), { code: 'ERR_MODULE_NOT_FOUND' });
       return next(specifier, context);
     }\`));`,
  );
  const { status, stderr } = failing([], { NODE_OPTIONS: `--import=${hide}` });
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    `fer-cudnn: serving needs packages that are not installed: npm install ${SERVER_PACKAGES.join(' ')} [ERR_FER_PACKAGE_MISSING]`,
  ]);
});
