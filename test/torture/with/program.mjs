// Programs under attack: started, hit, and always reaped.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const RACER = fileURLToPath(new URL('racer.mjs', import.meta.url));
/** The models that come with the package. */
export const MODELS = ['narrow', 'narrow-robust'].map((name) =>
  fileURLToPath(new URL(`../../../models/mini-xception-${name}/model.safetensors`, import.meta.url)),
);
const LIMIT = 120; // seconds
const KEPT_WORDS = 1 << 16;

const live = new Set();
let over = false;

/** Ends everything that still runs; nothing starts after it. */
export function endAll() {
  over = true;
  for (const child of live) child.kill('SIGKILL');
}

/**
 * Starts a program; `wrap` stands before it, such as setpriv. Returns { name, child, kill, running(), exited }; `exited` is
 * { name, status, signal, late, output, errors, seconds } in the end, `late` where it had to be ended after `limit` seconds.
 */
export function start([command, ...args], { wrap = [], env = {}, cwd, limit = LIMIT, input = 'ignore', name = args.join(' ') } = {}) {
  if (over) throw new Error('the torture is over');
  const [file, ...rest] = [...wrap, command, ...args];
  const child = spawn(file, rest, { cwd, env: { ...process.env, ...env }, stdio: [input, 'pipe', 'pipe'] });
  live.add(child);
  const started = performance.now();
  const said = { output: '', errors: '' };
  for (const [stream, key] of [
    [child.stdout, 'output'],
    [child.stderr, 'errors'],
  ])
    stream.setEncoding('utf8').on('data', (text) => (said[key] = (said[key] + text).slice(-KEPT_WORDS)));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, limit * 1000);
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve({ name, status, signal, late, ...said, seconds: (performance.now() - started) / 1000 }),
    );
  }).finally(() => {
    clearTimeout(timer);
    live.delete(child);
  });
  exited.catch(() => {});
  const running = () => child.exitCode === null && child.signalCode === null;
  return { name, child, exited, running, kill: (signal = 'SIGKILL') => child.kill(signal) };
}

/** The command line, as from the package. */
export const fer = (args, options = {}) => start([process.execPath, MAIN, ...args], { name: `fer-cudnn ${args[0]}`, ...options });

/** A program that has loaded everything says so, and begins `task` at the moment it is told, in milliseconds since 1970. */
export function racer(task, options = {}) {
  const program = start([process.execPath, RACER, JSON.stringify(task)], {
    name: `racer ${task.task}`,
    input: 'pipe',
    ...options,
  });
  const ready = new Promise((resolve) => {
    program.child.stdout.once('data', resolve);
    program.child.once('close', resolve);
  });
  program.child.stdin.on('error', () => {});
  return { ...program, ready, go: (at) => program.child.stdin.end(String(at)) };
}
