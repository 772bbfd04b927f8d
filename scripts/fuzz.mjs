#!/usr/bin/env node
// Fuzzes everything that reads bytes from outside. Native targets (native/test/fuzz) run under libFuzzer with AddressSanitizer and
// UndefinedBehaviorSanitizer, the others (test/fuzz/targets) in child processes on dist/, by fast-check.
//   npm run fuzz -- --minutes 60          all targets in turn, for so long in all
//   npm run fuzz -- --count short         small fixed numbers: what CI runs
//   npm run fuzz -- --count 100000        so many inputs a target; --count 70000,csv-native=7000000: of that one so many
//   --only parquet,csv-native             these targets, or all that are native or property; --seed 7: where the numbers of cases begin (default: the clock; with --count 1)
//   --replay <file> --only <target>       one kept input again
//   --json <file>                         the table as JSON (default build/fuzz/results.json)
// Whatever crashes, hangs, takes too much or ends in another error than a file deserves is kept in build/fuzz/failures, and the exit
// status is 1.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { nativeTargets } from '../test/fuzz/native.mjs';
import { propertyTargets, replay } from '../test/fuzz/property.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = readFlags({
  options: {
    minutes: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    json: { type: 'string', default: path.join(root, 'build', 'fuzz', 'results.json') },
  },
});

function stop(message) {
  console.error(`fuzz: ${message}`);
  process.exit(2);
}

const positive = (name, given = values[name]) => {
  const number = Number(given);
  if (!(number > 0)) stop(`expected a number above 0, got ${given}, for --${name}`);
  return number;
};

const folder = path.join(root, 'build', 'fuzz');
const failures = path.join(folder, 'failures');
mkdirSync(failures, { recursive: true });
if (!existsSync(path.join(root, 'dist', 'index.js'))) stop('dist/ is not built; run: npm run build');

const only = values.only?.split(',');
const wanted = (kind) => (target) => !only || only.includes(kind) || only.includes(target.name);
const property = propertyTargets.filter(wanted('property'));
if (values.replay)
  process.exit(property.length === 1 ? replay(property[0].name, values.replay) : stop('--replay wants one target: --only <name>'));
const native = nativeTargets(root).filter(wanted('native'));
const targets = [...native, ...property];
if (targets.length === 0) stop(`no target is called ${values.only}; there are ${[...nativeTargets(root), ...propertyTargets].map(({ name }) => name).join(', ')}`); // prettier-ignore
if (native.length > 0) native[0].build();

/** How much of a target at a time, and when it is enough. */
const short = values.count === 'short';
/** Inputs by target; '': of those that are not named. */
const counts = new Map();
if (!short && !values.minutes)
  for (const each of String(values.count).split(',')) {
    const [count, name = ''] = each.split('=').reverse();
    if (name && !targets.some((target) => target.name === name)) stop(`no target is called ${name}, for --count`);
    counts.set(name, positive('count', count));
  }
const countOf = ({ name, short: few }) => (short ? few : (counts.get(name) ?? counts.get('')));
if (counts.size > 0 && targets.some((target) => countOf(target) === undefined))
  stop(`expected a number for every target, got ${values.count}, for --count`);
const minutes = values.minutes ? positive('minutes') : undefined;
const seed = values.seed !== undefined ? Number(values.seed) : Math.floor(Date.now() / 1000) * 1000;
const started = performance.now();
const ends = minutes && started + minutes * 60_000;
const share = minutes ? Math.max(10, Math.min(60, (minutes * 60) / targets.length / 2)) : Infinity; // seconds of a turn

const results = targets.map(({ name }) => ({
  target: name,
  inputs: 0,
  seconds: 0,
  crashes: 0,
  hangs: 0,
  failures: 0,
  coverage: 0,
  kept: [],
}));
const done = () => (ends ? performance.now() >= ends : false);
do {
  for (const [i, target] of targets.entries()) {
    if (done()) break;
    const result = results[i];
    const turn = await target.turn({
      folder,
      failures,
      seconds: ends ? Math.min(share, (ends - performance.now()) / 1000) : share,
      count: countOf(target),
      seed: seed + result.inputs,
    });
    for (const key of ['inputs', 'seconds', 'crashes', 'hangs', 'failures']) result[key] += turn[key];
    result.coverage = Math.max(result.coverage, turn.coverage ?? 0);
    result.kept.push(...turn.kept);
    for (const what of turn.said) console.log(`${target.name}: ${what}`);
  }
} while (ends && !done());

const columns = ['target', 'inputs', 'a second', 'crashes', 'hangs', 'failures', 'coverage'];
const rows = results.map((r) => [
  r.target,
  r.inputs,
  (r.inputs / Math.max(r.seconds, 1e-3)).toFixed(0),
  r.crashes,
  r.hangs,
  r.failures,
  r.coverage || '',
]);
const all = [columns, ...rows].map((row) => row.map(String));
const widths = columns.map((_, c) => Math.max(...all.map((row) => row[c].length)));
for (const row of all) console.log(row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '));

const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' });
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
writeFileSync(
  values.json,
  `${JSON.stringify(
    {
      date: new Date().toISOString().slice(0, 10),
      commit: git.stdout?.trim() ?? '',
      machine: { processor: cpus()[0]?.model, cores: cpus().length, node: process.version },
      inputs: sum('inputs'),
      crashes: sum('crashes'),
      hangs: sum('hangs'),
      failures: sum('failures'),
      targets: results.map(({ kept, seconds, ...result }) => ({
        ...result,
        seconds: Math.round(seconds),
        kept: kept.map((file) => path.relative(root, file)),
      })),
    },
    null,
    2,
  )}\n`,
);
const bad = sum('crashes') + sum('hangs') + sum('failures');
console.log(
  `fuzz: ${sum('inputs')} inputs to ${targets.length} targets in ${((performance.now() - started) / 1000).toFixed(0)} s, ${bad} wrong`,
);
if (bad > 0) console.log(`their inputs are in ${path.relative(process.cwd(), failures)}`);
process.exit(bad > 0 ? 1 : 0);
