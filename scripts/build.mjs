#!/usr/bin/env node
// Builds what a clone needs: the native addon (build/Release/fer-cudnn.node) and the TypeScript (dist/).
//   node scripts/build.mjs            both
//   node scripts/build.mjs --native   the addon only
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const nativeOnly = process.argv.includes('--native');

function stop(message) {
  console.error(`fer-cudnn build: ${message}`);
  process.exit(1);
}

/** Runs a command; shows its output only when it fails. */
function run(what, command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.error) stop(`${what} could not start: ${result.error.message}`);
  const output = `${result.stdout}${result.stderr}`;
  mkdirSync(path.join(root, 'build'), { recursive: true });
  const log = path.join(root, 'build', 'last-build.log');
  writeFileSync(log, output);
  if (result.status !== 0) {
    const lines = output.trimEnd().split('\n');
    const errors = lines.filter((line) => /error|fatal/i.test(line)).slice(0, 20);
    stop(
      `${what} failed; all of its output is in ${path.relative(process.cwd(), log)}\n${(errors.length ? errors : lines.slice(-20)).join('\n')}`,
    );
  }
}

function version(command, args = ['--version']) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.split('\n')[0] : undefined;
}

if (!existsSync(path.join(root, 'node_modules', 'cmake-js'))) stop('the npm packages are not installed; run: npm ci');
if (!version('cmake'))
  stop('CMake 3.20 or later is needed and was not found; install it (Debian: cmake, macOS: brew install cmake) and run: npm run build');
const compiler = process.env.CXX ?? 'c++';
if (!version(compiler))
  stop(
    `a C++20 compiler is needed and "${compiler}" was not found; install GCC 12 or Clang 15 or later (Debian: g++) and run: npm run build`,
  );

console.log(`building the native addon (${version('cmake')}, ${version(compiler)})`);
run('the native build', process.execPath, [
  path.join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js'),
  'build',
  '--config',
  'Release',
  '--parallel',
  String(availableParallelism()),
]);
const addon = path.join(root, 'build', 'Release', 'fer-cudnn.node');
if (!existsSync(addon)) stop('the native build left no build/Release/fer-cudnn.node');
console.log('built build/Release/fer-cudnn.node');

if (!nativeOnly) {
  run('the TypeScript build', process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  chmodSync(path.join(root, 'dist', 'cli', 'main.js'), 0o755);
  console.log('built dist/');
}
