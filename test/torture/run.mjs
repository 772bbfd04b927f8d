#!/usr/bin/env node
// Attacks on the package, as often as it takes: kills, signals, full disks, races, small containers. Each has to leave whole files, a
// message with a code, and a run that goes on to the bit.
//   npm run torture -- [--short] [--only <name,...>] [--count <n>] [--seed <n>] [--attempt <n>] [--jobs <n>] [--out <file>] [--list]
// --short: a few attempts of each, for CI; --count: attempts of each attack; --attempt: that one alone, to repeat it. The result goes to
// bench/results/torture.json where all of it ran in full. What failed keeps its folder. Exit status 1 where something does not hold.
// Full disks and read-only roots need root or user namespaces, other users root, limits a control group; what cannot be staged is
// skipped and says why. Needs: npm run build.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { readFlags } from '../../scripts/flags.mjs';
import { generator } from '../../dist/random.js';
import { ATTACKS } from './attacks/registry.mjs';
import { removeControlGroups } from './with/control-group.mjs';
import { enterNamespace } from './with/namespace.mjs';
import { Skip } from './with/outcome.mjs';
import { endAll } from './with/program.mjs';
import { makeShared } from './with/shared.mjs';

const KEPT = 2; // attempts that failed in one way, whose folders and reasons stay

const { values } = readFlags({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string', default: '0' },
    attempt: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const only = values.only?.split(',');
const unknown = only?.find((name) => !ATTACKS.some((attack) => attack.name === name));
if (unknown) throw new Error(`expected one of ${ATTACKS.map(({ name }) => name).join(', ')}, got ${unknown}, for --only`);
const attacks = ATTACKS.filter(({ name }) => !only || only.includes(name));
const tell = (text) => process.stderr.write(`${text}\n`);

if (values.list) {
  for (const { name, about, holds } of attacks) console.log(`${name}\n  ${about}\n  must hold: ${holds}`);
  process.exit();
}
let interrupted = false;

/** Ends what runs; the rest of the program sees that it is over. */
function stop() {
  if (interrupted) return;
  interrupted = true;
  tell('ending what runs, and tidying up');
  endAll();
}
const outside = await enterNamespace(process.argv.slice(1), stop);
if (outside !== undefined) process.exit(outside);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

const base = mkdtempSync(path.join(tmpdir(), 'fer-torture-'));

function tidy() {
  endAll();
  removeControlGroups();
  // Only what failed stays.
  for (const name of readdirSync(base)) if (!name.startsWith('failed-')) rmSync(path.join(base, name), { recursive: true, force: true });
  if (readdirSync(base).length === 0) rmSync(base, { recursive: true });
}

/** Chance of its own for each attempt. */
const randomOf = (name, index) => generator(createHash('sha256').update(`${values.seed}/${name}/${index}`).digest().readUInt32LE());

/** A reason without what differs from one attempt to the next: paths, numbers, a program's own words. */
const wayOf = (reason) => reason.replace(/it said: .*/, '').replace(/\S*\/\S*|[\d.,]+/g, '');

/** One attempt: undefined where it holds, or what is wrong. */
async function attemptOf(attack, index, prepared, shared, found) {
  const folder = path.join(base, `${attack.name}-${index}`);
  const failed = path.join(base, `failed-${attack.name}-${index}`);
  mkdirSync(folder);
  const marks = [];
  const mark = (stage, when) => marks.push([stage, when]);
  const keep = (disk) => cpSync(disk, path.join(folder, 'copy-of-disk'), { recursive: true });
  try {
    await attack.attempt({ folder, random: randomOf(attack.name, index), index, shared, mark, keep }, prepared);
    found.held++;
  } catch (error) {
    if (interrupted) return;
    if (error instanceof Skip) return void (found.skipped = error.message);
    const reason = error.message;
    found.failed++;
    const repeat = `npm run torture -- --only ${attack.name} --seed ${values.seed} --attempt ${index}`;
    const text = `${attack.name} ${index}: ${reason}`;
    tell(`  FAILED ${text}\n         again: ${repeat}`);
    const way = wayOf(reason);
    if (found.failures.filter((each) => wayOf(each.reason) === way).length < KEPT) {
      found.failures.push({ attempt: index, reason: reason.replaceAll(base, '…'), marks });
      cpSync(folder, failed, { recursive: true, filter: (file) => path.basename(file) !== 'disk' });
      writeFileSync(path.join(failed, 'why.txt'), `${text}\n${error.stack}\n${JSON.stringify(marks)}\n${repeat}\n`);
    }
  } finally {
    for (const [stage] of marks) found.stages[stage] = (found.stages[stage] ?? 0) + 1;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** All attempts of one attack: { name, tried, held, failed, skipped, seconds, stages, failures }. */
async function run(attack, shared) {
  const started = performance.now();
  const found = { name: attack.name, tried: 0, held: 0, failed: 0, skipped: undefined, seconds: 0, stages: {}, failures: [] };
  const count = Number(values.count ?? (values.short ? attack.short : attack.count));
  const queue = values.attempt === undefined ? Array.from({ length: count }, (_, i) => i) : [Number(values.attempt)];
  try {
    const prepared = queue.length > 0 ? await attack.prepare?.(shared) : undefined;
    const worker = async () => {
      while (queue.length > 0 && !interrupted && !found.skipped) await attemptOf(attack, queue.shift(), prepared, shared, found);
    };
    await Promise.all(Array.from({ length: attack.alone ? 1 : Number(values.jobs) }, worker));
  } catch (error) {
    if (interrupted) return found;
    if (!(error instanceof Skip)) throw error;
    found.skipped = error.message;
  }
  found.tried = found.held + found.failed;
  found.seconds = Math.round((performance.now() - started) / 1000);
  return found;
}

function print(results) {
  const rows = results.map(({ name, tried, held, failed, skipped, seconds }) =>
    [name, ...(skipped ? ['', '', '', `skipped: ${skipped}`] : [tried, held, failed, `${seconds} s`])].map(String),
  );
  const table = [['attack', 'tried', 'held', 'failed', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[i] ?? 0))).join('  '));
}

/** By lscpu: its model name, cores as the system counts them. */
function machine() {
  const processor = /^Model name:\s*(.*)$/m.exec(execFileSync('lscpu', { encoding: 'utf8' }))?.[1] ?? 'unknown';
  return { processor, cores: availableParallelism(), memoryMiB: Math.round(totalmem() / 2 ** 20) };
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
const whole = !values.short && !only && values.count === undefined && values.attempt === undefined;
const out = values.out ?? (whole ? path.join(root, 'bench', 'results', 'torture.json') : undefined);
const facts = {
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  node: process.versions.node,
  commit: git('rev-parse', '--short', 'HEAD'),
  changed: git('status', '--porcelain', '--', 'lib', 'native') !== '',
  seed: Number(values.seed),
};

const results = [];
try {
  const shared = await makeShared(base, values.short);
  for (const attack of attacks) {
    tell(`${attack.name}: ${attack.about}`);
    const result = await run(attack, shared);
    if (interrupted) break;
    results.push({ ...result, about: attack.about, holds: attack.holds });
    if (out) writeFileSync(out, `${JSON.stringify({ ...facts, attacks: results }, null, 1)}\n`);
  }
} finally {
  tidy();
}
print(results);
if (existsSync(base)) tell(`what failed is in ${base}`);
process.exitCode = interrupted ? 130 : Number(results.some(({ failed }) => failed > 0));
