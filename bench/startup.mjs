#!/usr/bin/env node
// How soon the package is there: seconds and memory of whole processes, from start to exit, beside those of Node alone.
//   node bench/startup.mjs [--runs 21] [--package <folder of another build>] [--out bench/results/startup.json]
// Rounds go through all commands in turn, so that a noisy machine treats all alike. Needs: npm run build.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { readFlags } from '../scripts/flags.mjs';
import { syntheticFaces } from '../dist/index.js';
import { median } from './measure.mjs';

const { values } = readFlags({
  options: {
    runs: { type: 'string', default: '21' },
    package: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    out: { type: 'string' },
  },
});
const runs = Number(values.runs);
const folder = mkdtempSync(path.join(tmpdir(), 'fer-startup-'));
const picture = path.join(folder, 'face.jpg');
const cli = path.join(values.package, 'dist', 'cli', 'main.js');
const library = pathToFileURL(path.join(values.package, 'dist', 'index.js')).href;

/** `milliseconds` and `mebibytes`: what issue 12 allows where Node alone takes 60 ms and 40 MiB. */
const COMMANDS = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'fer-cudnn --version', args: [cli, '--version'], goal: { milliseconds: 120 } },
  { name: 'fer-cudnn --help', args: [cli, '--help'], goal: { milliseconds: 120 } },
  { name: "import('fer-cudnn')", args: ['--input-type=module', '-e', `await import('${library}')`], goal: { milliseconds: 100 } },
  { name: 'sharp alone: the JPEG decoded', args: ['--input-type=module', '-e', decodeAlone()] },
  { name: 'fer-cudnn predict face.jpg', args: [cli, 'predict', picture], goal: { milliseconds: 250, mebibytes: 90 } },
];

/** What no program that reads a JPEG with sharp can be faster than. */
function decodeAlone() {
  return `const { default: sharp } = await import('${import.meta.resolve('sharp')}'); await sharp('${picture}').greyscale().raw().toBuffer()`;
}

function run(args) {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - started;
}

/** The most memory the process held, MiB. Asked in a run of its own, for the question costs time. */
function peakMemory(args) {
  const hook = path.join(folder, 'memory.cjs');
  const answer = path.join(folder, 'memory.txt');
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(answer)}, String(process.resourceUsage().maxRSS)));`,
  );
  run(['--require', hook, ...args]);
  return Number(readFileSync(answer, 'utf8')) / 1024;
}

/** One line a command; goals in brackets. */
function print(results) {
  const rows = results.map(({ name, milliseconds, fastest, mebibytes, timeRatio, memoryRatio, goal = {} }) => {
    const bound = (value) => (value === undefined ? '' : ` (${value})`);
    return {
      command: name,
      'ms (goal)': `${milliseconds.toFixed(0)}${bound(goal.milliseconds)}`,
      fastest: fastest.toFixed(0),
      'to Node': timeRatio.toFixed(2),
      'peak MiB (goal)': `${mebibytes.toFixed(0)}${bound(goal.mebibytes)}`,
      'memory to Node': memoryRatio.toFixed(2),
    };
  });
  console.table(rows);
}

try {
  const { images, size } = syntheticFaces();
  await sharp(images.subarray(0, size * size), { raw: { width: size, height: size, channels: 1 } })
    .resize(256, 256)
    .jpeg()
    .toFile(picture);
  const times = COMMANDS.map(() => []);
  const peaks = COMMANDS.map(() => []);
  for (const { args } of COMMANDS) run(args); // fills the file cache
  for (let i = 0; i < runs; i++)
    COMMANDS.forEach(({ args }, at) => {
      times[at].push(run(args));
      if (i < 5) peaks[at].push(peakMemory(args));
    });
  const results = COMMANDS.map(({ name, goal }, at) => {
    const [milliseconds, mebibytes] = [median(times[at]), median(peaks[at])];
    return {
      name,
      milliseconds,
      fastest: Math.min(...times[at]),
      mebibytes,
      timeRatio: milliseconds / median(times[0]),
      memoryRatio: mebibytes / median(peaks[0]),
      goal,
    };
  });
  const found = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    node: process.versions.node,
    runs,
    results,
  };
  if (values.out) writeFileSync(values.out, `${JSON.stringify(found, null, 2)}\n`);
  print(results);
} finally {
  rmSync(folder, { recursive: true });
}
