#!/usr/bin/env node
// The rooms of docs/architecture.md: a folder or a file of lib/ or native/ uses itself and what its row names, in types too, and no
// imports go in a circle, neither between files nor between rooms. The page has the same rooms, in its picture and its tables. A new
// room is one more row, here and there.
//   node scripts/check-boundaries.mjs [--root <folder>]     the folder that holds lib/ and native/
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

const { values } = readFlags({ options: { root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) } } });

// What every room of lib/ may use.
const BASE = [
  'errors',
  'json',
  'schema',
  'lock',
  'quoting',
  'regular-file',
  'slices',
  'atomic-file',
  'plain-text',
  'suggestion',
  'random',
  'cancel-signal',
  'warning',
  'version',
];
const ABOUT_A_NETWORK = ['native', 'device', 'data', 'metrics', 'network'];
const WITH_A_NETWORK = [...ABOUT_A_NETWORK, 'predict', 'faces', 'evaluate', 'explain', 'training'];
const ALL_BUT_THE_ENDS = [
  ...WITH_A_NETWORK,
  'video',
  'model',
  'charts',
  'report',
  'perturb',
  'pretrained',
  'yaml-file',
  'onnx',
  'tracking',
];
const LIB = {
  errors: [],
  'regular-file': [],
  slices: [],
  json: [],
  schema: [],
  lock: [],
  quoting: [],
  'atomic-file': [],
  warning: [],
  'plain-text': [],
  suggestion: [],
  random: [],
  'cancel-signal': [],
  version: [],
  pretrained: [],
  'yaml-file': [],
  'addon-file': [],
  native: ['addon-file'],
  device: ['native'],
  metrics: [],
  data: ['native'],
  charts: ['metrics'],
  report: ['metrics', 'charts'],
  perturb: ['native', 'device', 'data'],
  onnx: ['native'],
  network: ['native', 'device', 'data', 'onnx'],
  predict: ABOUT_A_NETWORK,
  evaluate: ABOUT_A_NETWORK,
  faces: [...ABOUT_A_NETWORK, 'predict', 'charts'],
  explain: [...ABOUT_A_NETWORK, 'predict'],
  training: [...ABOUT_A_NETWORK, 'evaluate', 'charts', 'pretrained'],
  model: [...WITH_A_NETWORK, 'onnx', 'pretrained'],
  tracking: ['charts', 'metrics', 'training'],
  huggingface: ['network', 'onnx', 'training'],
  experiments: ALL_BUT_THE_ENDS,
  video: [...ABOUT_A_NETWORK, 'predict', 'charts'],
  server: ALL_BUT_THE_ENDS,
  index: [...ALL_BUT_THE_ENDS, 'experiments', 'server'],
  cli: [...ALL_BUT_THE_ENDS, 'huggingface', 'experiments', 'server'],
};
const NATIVE = {
  base: [],
  data: ['base'],
  'ops.h': ['data'],
  'backend.h': ['ops.h'],
  'buffer.h': ['backend.h'],
  network: ['base', 'data', 'ops.h', 'backend.h', 'buffer.h'],
  plugin: ['base', 'backend.h', 'ops.h'],
  cpu: ['base', 'data', 'backend.h', 'ops.h'],
  devices: ['base', 'backend.h', 'plugin', 'cpu'],
  cuda: ['base', 'data', 'backend.h', 'ops.h', 'plugin', 'devices'], // devices: the search for cuDNN
  perturb: ['base', 'data'],
  addon: ['base', 'data', 'backend.h', 'network', 'devices', 'perturb'],
  glibc: [],
};

const wrong = [];

/** The sources under a folder, relative to the root. */
function files(folder, pattern) {
  const at = path.join(values.root, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(values.root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** What each file imports, both relative to `folder`. */
function graphOf(folder, pattern, importPattern, resolve) {
  const graph = new Map();
  for (const file of files(folder, pattern)) {
    const source = readFileSync(path.join(values.root, file), 'utf8');
    const inside = path.relative(folder, file);
    graph.set(
      inside,
      [...source.matchAll(importPattern)].map(([, target]) => resolve(inside, target)),
    );
  }
  return graph;
}

const roomOf = (file) => file.split('/')[0].replace(/\.ts$/, '');

/** The same between rooms. */
function between(graph) {
  const rooms = new Map();
  for (const [file, targets] of graph) {
    const to = rooms.get(roomOf(file)) ?? new Set();
    for (const target of targets) if (roomOf(target) !== roomOf(file)) to.add(roomOf(target));
    rooms.set(roomOf(file), to);
  }
  return rooms;
}

/** One way round of each knot of imports. */
function circles(graph) {
  const found = [];
  const done = new Set();
  const walk = (node, way) => {
    const before = way.indexOf(node);
    if (before >= 0) return void found.push([...way.slice(before), node]);
    if (done.has(node)) return;
    for (const target of graph.get(node) ?? []) walk(target, [...way, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return found;
}

/** Every import beside its room's row. */
function checkRows(folder, graph, table, everywhere) {
  for (const [file, targets] of graph)
    for (const target of targets) {
      const [from, to] = [roomOf(file), roomOf(target)];
      const allowed = table[from];
      if (!allowed) wrong.push(`${folder}/${file}: ${from} has no row in scripts/check-boundaries.mjs`);
      else if (from !== to && ![...allowed, ...everywhere].includes(to))
        wrong.push(`${folder}/${file} imports ${target}: ${from} may use ${allowed.join(', ') || 'nothing'}`);
    }
}

const lib = graphOf('lib', /\.ts$/, /(?:from|import\(|import) ?'(\.[^']+)\.js'/g, (file, target) =>
  path.join(path.dirname(file), `${target}.ts`),
);
checkRows('lib', lib, LIB, BASE);
for (const way of circles(lib)) wrong.push(`imports in a circle: ${way.map((file) => `lib/${file}`).join(' → ')}`);
/** A picture of rooms beside its table: the same rooms, each using what lies below it or to its right. */
function checkPicture(picture, table, token) {
  // From the bottom up, and from right to left: a room may use what comes before it.
  const drawn = picture.trim().split('\n').reverse().flatMap((floor) => [...floor.matchAll(token)].map(([, room]) => room).reverse()); // prettier-ignore
  for (const room of new Set([...drawn, ...Object.keys(table)])) {
    if (!table[room] || !drawn.includes(room))
      wrong.push(`${room} is not both in the picture of docs/architecture.md and in the table of rooms`);
    for (const used of table[room] ?? [])
      if (drawn.indexOf(used) > drawn.indexOf(room))
        wrong.push(`${room} has ${used} in its row, which is not below it in docs/architecture.md`);
  }
}

/** docs/architecture.md: its picture, lib/ above the boundary and native/ below it, and its tables of rooms. */
function checkPage(text) {
  const [above, below = ''] = /```\n([^]*?)```/.exec(text)[1].split(/^.*⇅.*$/m);
  checkPicture(above, LIB, /([\w-]+)(?:\/|\.ts)/g);
  checkPicture(below, NATIVE, /([\w-]+(?:\.h|(?=\/)))/g);
  for (const [folder, table] of Object.entries({ lib: LIB, native: NATIVE }))
    for (const room of Object.keys(table))
      if (!new RegExp(`^\\|.*\`${folder}/${room}(/|\\.ts)?\``, 'm').test(text))
        wrong.push(`${folder}/${room} is in no table of docs/architecture.md`);
  for (const [room, allowed] of Object.entries(NATIVE)) {
    const uses = allowed.map((used) => `\`${used}${used.endsWith('.h') ? '' : '/'}\``).join(', ');
    const row = new RegExp(`^\\| \`native/${room}/?\` .*\\|([^|]*)\\|$`, 'm').exec(text);
    if (row && row[1].trim() !== uses)
      wrong.push(`docs/architecture.md says that native/${room} uses ${row[1].trim() || 'nothing'}; its row has ${uses || 'nothing'}`);
  }
}
const page = path.join(values.root, 'docs', 'architecture.md');
if (existsSync(page)) checkPage(readFileSync(page, 'utf8'));
for (const way of circles(between(lib))) wrong.push(`rooms in a circle: ${way.map((room) => `lib/${room}`).join(' → ')}`);

const native = graphOf('native', /\.(cc|h|cu|cuh)$/, /#include "([^"]+)"/g, (_, target) => target);
for (const file of native.keys()) if (file.startsWith('test/')) native.delete(file);
checkRows('native', native, NATIVE, []);
for (const way of circles(native)) wrong.push(`includes in a circle: ${way.map((file) => `native/${file}`).join(' → ')}`);
for (const way of circles(between(native))) wrong.push(`rooms in a circle: ${way.map((room) => `native/${room}`).join(' → ')}`);

if (wrong.length) {
  console.error(`check-boundaries: ${wrong.length} faults\n${[...new Set(wrong)].join('\n')}`);
  process.exit(1);
}
console.log('check-boundaries: imports follow the dependency direction, none in a circle');
