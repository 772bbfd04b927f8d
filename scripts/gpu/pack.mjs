#!/usr/bin/env node
// Packs what scripts/gpu-check needs on a machine that has only a driver, cuDNN 9 and a Python with torch: its own node, the built
// package with its run-time dependencies, the native tests and their fixtures; FER2013 apart, so that each load stays small.
//   node scripts/gpu/pack.mjs [--data fer2013.csv.gz] [--peer mini_xception_torch.py] [--out build/gpu-check]
// Needs: npm run build, the CUDA plug-in beside the addon, bash scripts/native-tests.sh build/native-tests.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../flags.mjs';

const LIMIT = 60 * 2 ** 20;
const COPIED = [
  'dist',
  'models',
  'prebuilds',
  'package.json',
  'package-lock.json',
  'native/test/fixtures',
  'scripts/gpu-check',
  'scripts/gpu',
  'scripts/fixtures/network.py',
  'bench/measure.mjs',
];
const UNPACK = `#!/bin/sh
# unpack.sh FOLDER: everything of this load, below FOLDER.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
for archive in "$here"/*.tar.xz; do
  tar -xJf "$archive" -C "$1" 2>/dev/null || python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$archive" "$1"
done
`;

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = readFlags({
  options: { data: { type: 'string' }, peer: { type: 'string' }, out: { type: 'string', default: path.join(root, 'build', 'gpu-check') } },
});
const out = path.resolve(values.out);
const run = (command, args, cwd = root) => execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

execFileSync(process.execPath, [path.join(root, 'scripts', 'prebuild.mjs')], { stdio: 'inherit' });
rmSync(out, { recursive: true, force: true });
const folder = path.join(out, 'folder');
for (const name of COPIED) {
  const from = path.join(root, name);
  if (!existsSync(from)) throw new Error(`${name} is missing; build the package first: npm run build`);
  cpSync(from, path.join(folder, name), { recursive: true });
}
mkdirSync(path.join(folder, 'bin'), { recursive: true });
for (const [from, name] of [
  [process.execPath, 'node'],
  [path.join(root, 'build', 'native-tests', 'native_tests'), 'native_tests'],
]) {
  if (!existsSync(from)) throw new Error('the native tests are not built; run: bash scripts/native-tests.sh build/native-tests');
  cpSync(from, path.join(folder, 'bin', name), { dereference: true });
  chmodSync(path.join(folder, 'bin', name), 0o755);
  run('strip', [path.join(folder, 'bin', name)]);
}
if (values.peer) cpSync(values.peer, path.join(folder, 'peers', 'mini_xception_torch.py'));
run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], folder);

const plugin = readdirSync(path.join(folder, 'prebuilds'), { recursive: true }).filter((name) => name.endsWith('.so'));
console.log(
  plugin.length > 0 ? `CUDA plug-in: ${plugin.join(', ')}` : 'NO CUDA plug-in is built: this folder can only rehearse on the CPU',
);

/** One load: a folder with unpack.sh and one archive of `names`. */
function load(number, from, names) {
  const target = path.join(out, `load-${number}`);
  mkdirSync(target, { recursive: true });
  writeFileSync(path.join(target, 'unpack.sh'), UNPACK, { mode: 0o755 });
  execFileSync('tar', ['-cJf', path.join(target, `load-${number}.tar.xz`), ...names], {
    cwd: from,
    env: { ...process.env, XZ_OPT: '-6 -T0' },
  });
  const bytes = readdirSync(target).reduce((sum, name) => sum + statSync(path.join(target, name)).size, 0);
  console.log(`load-${number}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  if (bytes > LIMIT) throw new Error(`load-${number} is over 60 MiB`);
}

load(1, folder, readdirSync(folder));
if (values.data) {
  const data = path.join(out, 'data', 'fer2013.fer');
  mkdirSync(path.dirname(data), { recursive: true });
  if (values.data.endsWith('.fer')) cpSync(values.data, data);
  else
    execFileSync(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), 'data', 'compact', values.data, '--out', data], {
      stdio: 'inherit',
    });
  load(2, out, ['data']);
}
console.log(
  `On the other machine: sh load-1/unpack.sh FOLDER${values.data ? '; sh load-2/unpack.sh FOLDER' : ''}; FOLDER/scripts/gpu-check --minutes 9 --out RESULTS`,
);
