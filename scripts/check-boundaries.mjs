#!/usr/bin/env node
// Imports follow the dependency direction of docs/architecture.md: cli → lib → native → backend. A folder or file may import
// itself and what its row names; `import type` is free, for types vanish. A new family is one more row.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BASE = ['errors', 'atomic-file', 'nearest', 'random'];
const MODEL = [...BASE, 'native', 'device', 'metrics', 'data', 'network', 'predict', 'evaluate', 'explain', 'training'];
const LIB = {
  errors: [],
  'atomic-file': BASE,
  nearest: BASE,
  random: BASE,
  native: BASE,
  device: BASE,
  predict: MODEL,
  evaluate: MODEL,
  'package-model': BASE,
  'yaml-file': BASE,
  metrics: BASE,
  data: [...BASE, 'native'],
  network: [...BASE, 'native', 'device', 'data'],
  charts: [...BASE, 'metrics', 'data'],
  perturb: [...BASE, 'native', 'data'],
  explain: MODEL,
  training: [...MODEL, 'charts'],
  model: MODEL,
  report: [...BASE, 'charts', 'metrics'],
  experiments: [...MODEL, 'charts', 'model', 'perturb', 'report', 'package-model', 'yaml-file'],
  index: '*',
  cli: '*',
};
const NATIVE = {
  core: ['backend.h'],
  'backend.h': ['core'],
  cpu: ['backend.h', 'core'],
  cuda: ['backend.h', 'core', 'plugin'],
  plugin: ['backend.h', 'core'],
  perturb: ['core'],
  glibc: [],
  addon: ['backend.h', 'core', 'cpu', 'cuda', 'perturb', 'plugin'],
};
// The one place that knows every backend, and the addon's question after the instruction set.
const EXCEPTIONS = new Set(['native/core/devices.cc → plugin']);

const wrong = [];
const files = (folder, pattern) =>
  readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));

function check(file, from, to, table, target) {
  const allowed = table[from];
  if (!allowed) wrong.push(`${file}: ${from} has no row in scripts/check-boundaries.mjs`);
  else if (from !== to && allowed !== '*' && !allowed.includes(to) && !EXCEPTIONS.has(`${file} → ${to}`))
    wrong.push(`${file} imports ${target}: ${from} may use ${allowed.join(', ') || 'nothing'}`);
  if (table === LIB && (to === 'cli' || to === 'index') && from !== to && from !== 'cli')
    wrong.push(`${file} imports ${target}: nothing but cli uses ${to}`);
}
const part = (relative) => relative.split('/')[0].replace(/\.ts$/, '');

for (const file of files('lib', /\.ts$/)) {
  const source = readFileSync(path.join(root, file), 'utf8').replace(/import type [^;]*;/g, '');
  for (const [, target] of source.matchAll(/(?:from|import\(|import) ?'(\.[^']+)'/g)) {
    const to = path.relative('lib', path.join(path.dirname(file), target)).replace(/\.js$/, '.ts');
    check(file, part(path.relative('lib', file)), part(to), LIB, target);
  }
}
for (const file of files('native', /\.(cc|h|cu|cuh)$/)) {
  if (file.startsWith('native/test/')) continue;
  const source = readFileSync(path.join(root, file), 'utf8');
  for (const [, target] of source.matchAll(/#include "([^"]+)"/g))
    check(file, path.relative('native', file).split('/')[0], target.split('/')[0], NATIVE, target);
}

if (wrong.length) {
  console.error(`check-boundaries: ${wrong.length} imports against the direction\n${[...new Set(wrong)].join('\n')}`);
  process.exit(1);
}
console.log('check-boundaries: imports follow the dependency direction');
