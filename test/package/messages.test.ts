/** What a copy of the installed package says when its binary cannot be loaded: each cause is made to happen, each remedy is carried out. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, inject, it } from 'vitest';
import { run, type Outcome } from './installed.js';

const bin = inject('bin');
const system = `linux-${process.arch}`;
let cwd: string;
const own = (...parts: string[]): string => path.join(cwd, 'node_modules', 'fer-cudnn', ...parts);

beforeEach(() => {
  cwd = mkdtempSync(path.join(inject('project'), '..', 'messages-'));
  mkdirSync(path.join(cwd, 'node_modules'));
  const from = path.join(inject('project'), 'node_modules');
  for (const name of readdirSync(from))
    if (name === 'fer-cudnn') cpSync(path.join(from, name), own(), { recursive: true });
    else symlinkSync(path.join(from, name), path.join(cwd, 'node_modules', name));
  writeFileSync(
    path.join(cwd, 'program.mjs'),
    `import { MiniXception } from 'fer-cudnn';
     try { console.log(MiniXception.create({ width: '4,4:8', inputSize: 16 }).parameterCount); }
     catch (error) { console.log(error.code + ' ' + error.message); }`,
  );
});

const answer = async (file = 'program.mjs', env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const { stdout, stderr }: Outcome = await run('node', [file], { cwd, bin, env });
  return (stdout + stderr).trim();
};
const binaries = (): string[] => readdirSync(own('prebuilds', system)).filter((name) => name.endsWith('.node'));

it('works as it is', async () => expect(await answer()).toMatch(/^\d+$/));

it('a folder prebuilds that is missing: install again', async () => {
  renameSync(own('prebuilds'), path.join(cwd, 'elsewhere'));
  const told = await answer();
  expect(told).toContain('ERR_FER_NATIVE_LOAD the compiled part of fer-cudnn could not be loaded on linux-');
  expect(told).toContain('The folder prebuilds, which the package comes with, is not there; install it again: npm install fer-cudnn');
  renameSync(path.join(cwd, 'elsewhere'), own('prebuilds'));
  expect(await answer()).toMatch(/^\d+$/);
});

it('a system without a binary: which there are, and that a clone builds one', async () => {
  renameSync(own('prebuilds', system), own('prebuilds', 'plan9-x64'));
  const told = await answer();
  expect(told).toMatch(/Prebuilt are .*plan9-x64 \([^)]+\).*; elsewhere build it in a clone of the repository: npm ci && npm run build/);
});

it('a glibc that is too old for a binary: both, and a container image that fits', async () => {
  // The loader reads the name of the version that a symbol needs: one of the same length that no glibc has.
  for (const name of binaries()) {
    const bytes = readFileSync(own('prebuilds', system, name));
    writeFileSync(own('prebuilds', system, name), Buffer.from(bytes.toString('latin1').replaceAll('GLIBC_2.2.5', 'GLIBC_9.9.9'), 'latin1'));
  }
  const told = await answer();
  expect(told).toMatch(/GLIBC_9\.9\.9/);
  expect(told).toMatch(
    /This system has glibc 2\.\d+, the binary needs a newer one; use a newer system or container image, such as node:20-bookworm/,
  );
});

it.each(['esm', 'cjs'])('a bundle (%s) that left the binary behind: to keep the package out of it, which works', async (format) => {
  const output = `out/bundle.${format === 'esm' ? 'mjs' : 'cjs'}`;
  const bundle = (...flags: string[]): void => {
    // What the package loads only when it is used stays outside, and ES modules get the `require` that its dependencies in CommonJS call.
    const external = ['sharp', 'vega*', '@resvg/*', 'h5wasm', 'hyparquet', 'yaml', 'tinyglobby'].map((name) => `--external:${name}`);
    const banner =
      format === 'esm'
        ? ["--banner:js=import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"]
        : ['--log-override:empty-import-meta=silent'];
    const always = ['program.mjs', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${output}`, '--log-level=error'];
    execFileSync(path.resolve('node_modules/.bin/esbuild'), [...always, ...external, ...banner, ...flags], { cwd });
  };
  bundle();
  const told = await answer(output);
  expect(told).toContain('A bundler has moved the code');
  expect(told).toContain('esbuild --external:fer-cudnn');
  bundle('--external:fer-cudnn');
  expect(await answer(output)).toMatch(/^\d+$/);
});

it('an asar archive: to leave the package outside', async () => {
  const inside = path.join(cwd, 'app.asar', 'node_modules');
  mkdirSync(inside, { recursive: true });
  for (const name of ['fer-cudnn', 'node-gyp-build'])
    cpSync(path.join(cwd, 'node_modules', name), path.join(inside, name), { recursive: true });
  for (const name of binaries()) writeFileSync(path.join(inside, 'fer-cudnn', 'prebuilds', system, name), '');
  cpSync(path.join(cwd, 'program.mjs'), path.join(cwd, 'app.asar', 'program.mjs'));
  expect(await answer('app.asar/program.mjs')).toContain('asarUnpack: "**/node_modules/fer-cudnn/**"');
});

it('a clone that was not built: to build it', async () => {
  rmSync(own('prebuilds'), { recursive: true });
  writeFileSync(own('CMakeLists.txt'), '');
  expect(await answer()).toContain('This is a clone; build it with: npm run build');
});
