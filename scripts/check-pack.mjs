#!/usr/bin/env node
// What `npm pack` would ship: everything a user needs, nothing of development or of anybody's data. Run after `npm run build` and
// scripts/prebuild.mjs.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HOST, prebuilt } from './targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const LARGEST = 16; // MiB, of the tarball
const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/index.cjs',
  'dist/index.d.cts',
  'dist/cli/main.js',
  'dist/server/page/index.html',
  prebuilt(HOST),
  'models/mini-xception-narrow/model.safetensors',
  'models/mini-xception-narrow/README.md',
  'models/mini-xception-narrow-robust/model.safetensors',
];
const ALLOWED =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.js|dist\/server\/page\/[\w-]+\.(html|css)|dist\/index\.(cjs|d\.c?ts)|prebuilds\/linux-(x64|arm64)\/[\w.+-]+\.(node|so)|models\/[\w-]+\/[\w.-]+\.(safetensors|md|txt|json|jsonl|csv|svg|png|ya?ml))$/;

const [{ files, size }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const paths = files.map((file) => file.path);
const wrong = [
  ...NEEDED.filter((file) => !paths.includes(file)).map((file) => `${file} is missing`),
  ...paths.filter((file) => !ALLOWED.test(file)).map((file) => `${file} does not belong in the package`),
  ...(size > LARGEST * 2 ** 20 ? [`${(size / 2 ** 20).toFixed(1)} MiB is more than ${LARGEST}`] : []),
];
if (wrong.length) {
  console.error(`check-pack: ${wrong.length} faults\n${wrong.join('\n')}`);
  process.exit(1);
}
console.log(`check-pack: ${paths.length} files, ${(size / 2 ** 20).toFixed(1)} MiB`);
