#!/usr/bin/env node
// Puts the built addon where node-gyp-build looks for prebuilt binaries, so that `npm pack` ships it.
// prebuildify's naming: prebuilds/<platform>-<arch>/<name>.node; Node-API binaries serve every Node version.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = path.join(root, 'build', 'Release', 'fer-cudnn.node');
if (!existsSync(built)) {
  console.error('fer-cudnn prebuild: build/Release/fer-cudnn.node is missing; run: npm run build');
  process.exit(1);
}
const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
mkdirSync(folder, { recursive: true });
copyFileSync(built, path.join(folder, 'fer-cudnn.node'));
console.log(`prebuilds/${process.platform}-${process.arch}/fer-cudnn.node`);
