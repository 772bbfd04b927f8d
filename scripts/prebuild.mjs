#!/usr/bin/env node
// Puts what was built where node-gyp-build looks for prebuilt binaries, so that `npm pack` ships it.
// prebuildify's naming: prebuilds/<platform>-<arch>/<name>.node; Node-API binaries serve every Node version.
// Not prebuildify itself: it would build once more, with node-gyp, and it copies .node files alone, not the CUDA plug-in.
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `prebuilds/${process.platform}-${process.arch}`;
rmSync(path.join(root, target), { recursive: true, force: true });
mkdirSync(path.join(root, target), { recursive: true });
for (const [name, command, required] of [
  ['fer-cudnn.node', 'npm run build', true],
  ['fer-cudnn-cuda.so', 'npm run build:cuda', false],
]) {
  const built = path.join(root, 'build', 'Release', name);
  if (existsSync(built)) {
    copyFileSync(built, path.join(root, target, name));
    console.log(`${target}/${name}, ${(statSync(built).size / 1e6).toFixed(1)} MB`);
  } else {
    console.error(`fer-cudnn prebuild: build/Release/${name} is missing; run: ${command}`);
    if (required) process.exit(1);
  }
}
