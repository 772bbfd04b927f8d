#!/usr/bin/env node
// Builds what a clone needs: the native addon (build/Release/fer-cudnn.node) and the TypeScript (dist/).
//   node scripts/build.mjs            both
//   node scripts/build.mjs --native   the addon only
//   node scripts/build.mjs --cuda     the CUDA plug-in only (build/Release/fer-cudnn-cuda.so); it needs no GPU
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const nativeOnly = process.argv.includes('--native');
const cuda = process.argv.includes('--cuda');

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

function buildCuda() {
  const toolkit = spawnSync('bash', [path.join(root, 'scripts', 'cuda-toolkit.sh')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (toolkit.status !== 0) stop('there is no CUDA 12 compiler to build with');
  const [cudaRoot, cudnnRoot] = toolkit.stdout.trim().split('\n');
  const started = performance.now();
  const folder = path.join(root, 'build', 'cuda');
  const generator = version('ninja') ? ['-G', 'Ninja'] : [];
  console.log(`building the CUDA plug-in (${version('cmake')}, CUDA in ${cudaRoot})`);
  run('configuring the CUDA build', 'cmake', [
    ...['-S', root, '-B', folder, ...generator, '-DFER_ADDON=OFF', '-DFER_CUDA=ON'],
    ...[`-DCMAKE_CUDA_COMPILER=${cudaRoot}/bin/nvcc`, `-DFER_CUDNN_INCLUDE=${cudnnRoot}/include`],
  ]);
  run('the CUDA build', 'cmake', ['--build', folder, '--target', 'fer-cudnn-cuda', '--parallel', String(availableParallelism())]);
  const built = path.join(root, 'build', 'Release', 'fer-cudnn-cuda.so');
  const megabytes = (statSync(built).size / 1e6).toFixed(1);
  console.log(`built build/Release/fer-cudnn-cuda.so, ${megabytes} MB, in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

function version(command, args = ['--version']) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.split('\n')[0] : undefined;
}

/** The server's page: its scripts for browsers, and what is no script. */
function buildPage() {
  run("the page's TypeScript build", process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.page.json',
  ]);
  for (const name of ['index.html', 'style.css'])
    cpSync(path.join(root, 'lib', 'server', 'page', name), path.join(root, 'dist', 'server', 'page', name));
}

/** The package's types in one file that needs no other package's, for ES modules and again for CommonJS, whose entry loads the ES module. */
async function declarations() {
  const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
  const bundle = await rollup({ input: path.join(root, 'build', 'types', 'index.d.ts'), plugins: [dts()], external: /^node:/ });
  const { output } = await bundle.generate({ format: 'es', banner: '/// <reference lib="esnext.disposable" />' });
  const foreign = output[0].imports;
  if (foreign.length > 0)
    stop(`the package's types need those of ${foreign.join(', ')}, which users may not have; keep them out of what lib/index.ts exports`);
  for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(path.join(root, 'dist', name), output[0].code);
  writeFileSync(path.join(root, 'dist', 'index.cjs'), "module.exports = require('./index.js');\n");
}

if (!cuda && !existsSync(path.join(root, 'node_modules', 'cmake-js'))) stop('the npm packages are not installed; run: npm ci');
if (!version('cmake'))
  stop('CMake 3.20 or later is needed and was not found; install it (Debian: cmake, macOS: brew install cmake) and run: npm run build');
const compiler = process.env.CXX ?? 'c++';
if (!version(compiler))
  stop(
    `a C++20 compiler is needed and "${compiler}" was not found; install GCC 12 or Clang 15 or later (Debian: g++) and run: npm run build`,
  );

if (cuda) {
  buildCuda();
  process.exit();
}
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
  buildPage();
  await declarations();
  console.log('built dist/');
}
