#!/usr/bin/env node
// Whether a long-lived process stays as it is: one that trains, predicts, explains, evaluates, perturbs, aborts, resumes, saves, loads,
// disposes and fails, for hours. Its memory, open files and threads are sampled; the verdict is about what follows the warm-up, and for
// the memory about what is left after a collection.
//   npm run soak -- --hours 2 [--out bench/results/soak]     writes <out>.json, <out>.svg and <out>.png
//   npm run soak -- --minutes 5                              to try it
//   npm run soak -- --rounds 1                               everything once, such as under a sanitizer
//   npm run soak -- --hours 1 --only predict,explain         these tasks alone, to find what grows
// Exit status 1 where something grows. Needs: npm run build.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { readFlags } from '../../scripts/flags.mjs';
import { drawSoak } from './picture.mjs';
import { collect, processNow } from './process.mjs';
import { prepare, TASKS } from './tasks.mjs';
import { trend } from './trend.mjs';

const HOUR = 3_600_000;
const SAVE_EVERY = HOUR / 12;
/** Of the memory held: what an hour may add, MiB, before it counts. */
const TOLERATED = 2;
/** How often everything is collected to see what stays. In between V8 lets its heap breathe by 60 MiB, which would hide a leak. */
const COLLECT_EVERY = HOUR / 60;
/** Samples in the file and in the picture beside those after a collection, at most; the verdict is about all. */
const KEPT = 600;
/** Rounds until everything was loaded, compiled and collected a few times, however slow the machine is. */
const WARM_UP_ROUNDS = 30;
/** Hours; of shorter runs the memory, or the number of files and threads, has not left its warm-up. */
const SHORTEST_JUDGED = { memory: 0.5, numbers: 0.05 };

const { values } = readFlags({
  options: {
    hours: { type: 'string' },
    minutes: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string', default: 'build/soak/soak' },
  },
});
const hours = values.hours ? Number(values.hours) : Number(values.minutes ?? (values.rounds ? 60 : 5)) / 60;
if (!(hours > 0)) throw new Error(`expected a number above 0, got ${values.hours ?? values.minutes}, for --hours or --minutes`);
const rounds = Number(values.rounds ?? Infinity);
const only = values.only?.split(',');
const tasks = TASKS.filter(({ name }) => !only || only.includes(name));
const unknown = only?.find((name) => !TASKS.some((task) => task.name === name));
if (unknown) throw new Error(`expected some of ${TASKS.map(({ name }) => name).join(', ')}, got ${unknown}, for --only`);

const tell = (text) => process.stderr.write(`${text}\n`);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const started = performance.now();
const passed = () => (performance.now() - started) / HOUR;
const samples = [];
const counts = Object.fromEntries(tasks.map(({ name }) => [name, 0]));
let native = 0;
let round = 0;
const sample = () => samples.push({ hours: passed(), round, native, ...processNow() });

/** Commit of the code that runs; empty where it is no clone. */
function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return process.env.FER_COMMIT ?? '';
  }
}

/** Resident but for the room that V8's heap keeps for its next objects, MiB. */
const held = ({ rss, heapTotal, heapUsed }) => rss - heapTotal + heapUsed;

/** Trends after the warm-up and what follows from them. */
function judge() {
  const warmed = samples.find((each) => each.round >= WARM_UP_ROUNDS)?.hours ?? passed();
  const warmUpHours = Math.max(Math.min(passed() / 4, 0.5), warmed);
  const settled = samples.filter((each) => each.hours >= warmUpHours);
  const after = settled.length > 1 ? settled : samples; // to have something to show
  const half = after.length >> 1;
  const least = (list, key) => Math.min(...list.map((each) => each[key]));
  const memory = trend(settled.filter((each) => each.held).map((each) => [each.hours, each.held]));
  const judged = passed() >= SHORTEST_JUDGED.memory && memory !== undefined;
  // Files and threads come and go with the work: what counts is whether the fewest that there are become more.
  const [files, threads] = ['files', 'threads'].map((key) => [least(after.slice(0, half), key), least(after.slice(half), key)]);
  const numbersJudged = passed() >= SHORTEST_JUDGED.numbers && after === settled;
  const grows = [
    ...(judged && memory.low > TOLERATED ? ['memory'] : []),
    ...(numbersJudged && files[1] > files[0] ? ['open files'] : []),
    ...(numbersJudged && threads[1] > threads[0] ? ['threads'] : []),
  ];
  const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
  const slope = memory && `${signed(memory.slope)} MiB an hour (95 %: ${signed(memory.low)} to ${signed(memory.high)})`;
  const sentence = `Memory held after a collection: ${slope ?? 'too few samples'}${judged ? '' : ', too short to judge'}; open files ${files.join(', then ')}, threads ${threads.join(', then ')} at least`;
  return { warmUpHours, verdict: { holds: grows.length === 0, grows, memory, files, threads, sentence } };
}

async function save(done) {
  const { warmUpHours, verdict } = judge();
  const result = {
    date: new Date().toISOString().slice(0, 10),
    machine: { processor: cpus()[0].model, cores: cpus().length },
    node: process.versions.node,
    commit: commit(),
    hours: passed(),
    done,
    counts,
    warmUpHours,
    verdict,
    samples: samples.filter((each, i) => each.held || i % Math.ceil(samples.length / KEPT) === 0),
  };
  mkdirSync(path.dirname(values.out), { recursive: true });
  const short = (_, value) => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value);
  writeFileSync(`${values.out}.json`, `${JSON.stringify(result, short)}\n`);
  await drawSoak(result, values.out);
  return verdict;
}

const folder = mkdtempSync(path.join(tmpdir(), 'fer-soak-'));
const timer = setInterval(sample, hours > 0.5 ? 5000 : 1000);
try {
  const soak = await prepare(folder);
  let saved = performance.now();
  let collected = saved;
  for (; passed() < hours && round < rounds && !stop.signal.aborted; round++) {
    for (const { name, every, run } of tasks) {
      if (round % every !== 0 || stop.signal.aborted) continue;
      await run(soak, round);
      counts[name]++;
    }
    native = soak.resident.native.memoryBytes() / 2 ** 20;
    if (performance.now() - collected >= COLLECT_EVERY) {
      await collect();
      sample();
      samples.at(-1).held = held(samples.at(-1));
      collected = performance.now();
    }
    if (performance.now() - saved < SAVE_EVERY) continue;
    saved = performance.now();
    tell(`${passed().toFixed(2)} h, ${round + 1} rounds. ${(await save(false)).sentence}`);
  }
  soak.resident.dispose();
} finally {
  clearInterval(timer);
  rmSync(folder, { recursive: true, force: true });
}
const verdict = await save(true);
tell(`${verdict.holds ? 'holds' : `GROWS: ${verdict.grows.join(', ')}`}. ${verdict.sentence}`);
process.exitCode = verdict.holds ? 0 : 1;
