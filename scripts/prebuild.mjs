#!/usr/bin/env node
// Puts binaries where node-gyp-build looks for them, so that `npm pack` ships them: prebuilds/<platform>-<processor>/.
//   node scripts/prebuild.mjs               what this machine needs: `npm run build`'s addon and, if it is there, the CUDA plug-in
//   node scripts/prebuild.mjs --all         all of scripts/targets.mjs: those of other systems are compiled by zig
//   node scripts/prebuild.mjs <target> ...  these
// prebuildify names, strips and copies, plug-in included; in place of its node-gyp the build is CMake's, and over by then.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { promisify } from 'node:util';
import { HOST, prebuilt, TARGETS } from './targets.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const asked = process.argv.slice(2);
const names = asked.includes('--all') ? Object.keys(TARGETS) : asked.length ? asked : [HOST];

function stop(message) {
  console.error(`fer-cudnn prebuild: ${message}`);
  process.exit(1);
}

/** This system's own build. */
function copyBuild(folder) {
  const release = path.join(root, 'build', 'Release');
  if (!existsSync(path.join(release, 'fer-cudnn.node'))) stop('build/Release/fer-cudnn.node is missing; run: npm run build');
  if (!existsSync(path.join(release, 'fer-cudnn-cuda.so')))
    console.error('build/Release/fer-cudnn-cuda.so is missing; run: npm run build:cuda');
  cpSync(release, folder, { recursive: true });
}

function crossBuild(name, build, folder) {
  const headers = [require('node-api-headers').include_dir, path.dirname(require.resolve('node-addon-api'))];
  const run = (args) => execFileSync('cmake', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  run([
    ...['-S', root, '-B', build, `-DCMAKE_TOOLCHAIN_FILE=${path.join(root, 'cmake', 'zig.cmake')}`, `-DFER_TARGET=${name}`],
    ...[`-DCMAKE_JS_INC=${headers.join(';')}`, `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${folder}`],
  ]);
  run(['--build', build, '--target', 'fer-cudnn', '--parallel']);
}

if (asked.includes('--all')) rmSync(path.join(root, 'prebuilds'), { recursive: true, force: true });
for (const name of names) {
  if (!(name in TARGETS)) stop(`expected targets among ${Object.keys(TARGETS).join(', ')}, got ${name}`);
  const started = performance.now();
  const [platform, arch, libc] = name.split('-');
  const build = path.join(root, 'build', 'targets', name);
  const folder = path.join(build, 'build', 'Release'); // where prebuildify looks
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (name === HOST) copyBuild(folder);
  else crossBuild(name, build, folder);
  await promisify(require('prebuildify'))({
    ...{ napi: true, name: 'fer-cudnn', platform, arch, libc, tagLibc: true },
    ...{ strip: name === HOST, nodeGyp: 'true', cwd: build, out: root, quiet: true },
  });
  const megabytes = (statSync(path.join(root, prebuilt(name))).size / 1e6).toFixed(1);
  console.log(`${prebuilt(name)}, ${megabytes} MB, ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
