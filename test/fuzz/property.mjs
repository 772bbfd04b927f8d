/** The targets of test/fuzz/targets, each in a child process that is watched and, where a case ends it, started again. */
import { fork, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TARGETS } from './targets/index.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const ARGUMENTS = ['--max-old-space-size=1024'];
const MOST_SECONDS = 60; // of the clock, for one case on a busy machine; the child itself counts CPU time
const MOST_KEPT = 20; // failures of one turn: what is broken badly would fill the disk
const BATCH = 200;
/** Cases of a target in CI. */
const SHORT = 60;

/** A turn: cases from `seed` on, until there were `count` or `seconds` are over. */
async function turn(name, { failures, seconds, count = Infinity, seed }) {
  const folder = mkdtempSync(path.join(tmpdir(), `fer-fuzz-${name}-`));
  const result = { inputs: 0, seconds: 0, crashes: 0, hangs: 0, failures: 0, kept: [], said: [] };
  let started = performance.now();
  const over = () => result.inputs >= count || performance.now() - started > seconds * 1000 || result.kept.length >= MOST_KEPT;
  const keep = (kind, at, why) => {
    result[kind]++;
    const file = path.join(failures, `${name}-${at}`);
    if (existsSync(path.join(folder, 'case'))) copyFileSync(path.join(folder, 'case'), file);
    writeFileSync(`${file}.txt`, `${why}\nagain: npm run fuzz -- --only ${name} --seed ${at} --count 1\n`);
    result.kept.push(file);
    result.said.push(`seed ${at}: ${why.split('\n')[0]}`);
  };
  try {
    while (!over()) {
      const ended = await life(name, folder, {
        // A turn is of cases: what a busy machine takes to start a process is not counted.
        ready: () => result.inputs === 0 && (started = performance.now()),
        next: () => (over() ? undefined : { seed: seed + result.inputs, count: Math.min(BATCH, count - result.inputs) }),
        over,
        ended: (at, wrong) => {
          result.inputs++;
          if (wrong) keep('failures', at, wrong);
        },
      });
      if (!ended) break;
      result.inputs++;
      keep(ended.kind, ended.at, ended.why);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/** One child's life. Resolves to nothing when there is no more to do, or to what ended it: `{ kind, at, why }`. */
function life(name, folder, { ready, next, over, ended }) {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [name, folder], { execArgv: ARGUMENTS, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let running; // the seed of the case under way
    let watch;
    let hung = false;
    let finished = false;
    let words = '';
    child.stderr.on('data', (chunk) => (words = (words + chunk).slice(-4000)));
    const more = () => {
      const batch = next();
      if (batch) return void child.send(batch);
      finished = true;
      child.kill();
    };
    child.on('message', (message) => {
      clearTimeout(watch);
      if (message.started !== undefined) {
        running = message.started;
        watch = setTimeout(() => {
          hung = true;
          child.kill('SIGKILL');
        }, MOST_SECONDS * 1000);
      } else if (message.ended !== undefined) {
        running = undefined;
        ended(message.ended, message.wrong);
        if (over()) {
          finished = true;
          child.kill('SIGKILL');
        }
      } else {
        if (message.ready) ready();
        more();
      }
    });
    child.on('exit', (code, signal) => {
      clearTimeout(watch);
      if (finished) return resolve(undefined);
      if (running === undefined) return reject(new Error(`the child of ${name} ended before a case began (${signal ?? code}):\n${words}`));
      if (hung) resolve({ kind: 'hangs', at: running, why: `no answer within ${MOST_SECONDS} s` });
      else resolve({ kind: 'crashes', at: running, why: `the process ended (${signal ?? `exit status ${code}`})\n${words}` });
    });
  });
}

export const propertyTargets = TARGETS.map(({ name, short = SHORT }) => ({ name, short, turn: (options) => turn(name, options) }));

/** Runs one input again, in sight. Gives the exit status. */
export function replay(name, file) {
  const folder = path.join(tmpdir(), `fer-fuzz-replay-${process.pid}`);
  mkdirSync(folder);
  const { status, signal } = spawnSync(process.execPath, [...ARGUMENTS, CHILD, name, folder, path.resolve(file)], { stdio: 'inherit' });
  rmSync(folder, { recursive: true, force: true });
  if (signal) console.log(`the process ended (${signal})`);
  return status ?? 1;
}
