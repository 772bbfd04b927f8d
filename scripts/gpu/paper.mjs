// The paper's five trainings, then our own recipes, each by the command a user has; a training cut short by the clock is saved and
// goes on at the next call.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const SEEDS = [0, 1, 2];
/** In the order they are run: every setting once, then more seeds. */
const RUNS = SEEDS.flatMap((seed) =>
  [
    { name: 'table1-narrow', preset: 'paper', width: 'narrow', 'batch-size': 40, 'learning-rate': 0.01, epochs: 100, paper: 50.6 },
    { name: 'c1-wide', preset: 'paper', width: 'wide', 'batch-size': 40, 'learning-rate': 0.01, epochs: 100, paper: 53.6 },
    { name: 'c2-wide', preset: 'paper', width: 'wide', 'batch-size': 15, 'learning-rate': 0.01, epochs: 100, paper: 56.7 },
    { name: 'c3-wide', preset: 'paper', width: 'wide', 'batch-size': 15, 'learning-rate': 0.001, epochs: 100, paper: 60.1 },
    { name: 'c4-wide', preset: 'paper', width: 'wide', 'batch-size': 15, 'learning-rate': 0.001, epochs: 150, paper: 61.9 },
    { name: 'clean-narrow', preset: 'clean', width: 'narrow', epochs: 100 },
    { name: 'clean-wide', preset: 'clean', width: 'wide', epochs: 100 },
    { name: 'robust-narrow', preset: 'robust', width: 'narrow', epochs: 200 },
  ].map((run) => ({ ...run, id: `${run.name}-seed${seed}`, seed })),
);

export async function paper(context, before) {
  const chosen = context.runs?.split(',');
  const unknown = chosen?.find((id) => !RUNS.some((run) => run.id === id || run.name === id));
  if (unknown) throw new Error(`expected runs out of ${RUNS.map((run) => run.id).join(', ')}, got ${unknown}, for --runs`);
  const wanted = RUNS.filter((run) => !chosen || chosen.includes(run.id) || chosen.includes(run.name));
  const results = before?.results ?? {};
  for (const run of wanted) {
    if (results[run.id]?.finished || Date.now() > context.deadline) continue;
    results[run.id] = await trainOnce(context, run);
    const { finished, accuracy, epochs, epochSeconds } = results[run.id];
    console.log(
      finished
        ? `${run.id}: ${(100 * accuracy).toFixed(1)} % after ${epochs} epochs of ${epochSeconds.toFixed(2)} s${run.paper ? ` (the paper: ${run.paper} %)` : ''}`
        : `${run.id}: saved after ${epochs} epochs; call again to go on`,
    );
  }
  const complete = wanted.every((run) => results[run.id]?.finished);
  return { complete, passed: complete, results };
}

/** @returns what the run folder says once the command has ended. */
async function trainOnce(context, run) {
  const folder = path.join(context.out, 'runs', run.id);
  const epochs = Math.min(run.epochs, context.epochs);
  const flags = existsSync(path.join(folder, 'last.safetensors'))
    ? ['--resume', folder]
    : ['preset', 'width', 'batch-size', 'learning-rate', 'seed']
        .filter((flag) => run[flag] !== undefined)
        .flatMap((flag) => [`--${flag}`, String(run[flag])])
        .concat('--epochs', String(epochs), '--run-dir', folder);
  const data = context.data ? ['--data', context.data] : [];
  const child = spawn(
    process.execPath,
    [path.join(context.root, 'dist', 'cli', 'main.js'), 'train', ...flags, ...data, '--device', context.device],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let errors = '';
  child.stdout.resume();
  child.stderr.on('data', (text) => (errors = (errors + text).slice(-2000)));
  const timer = Number.isFinite(context.deadline)
    ? setTimeout(() => child.kill('SIGINT'), Math.max(0, context.deadline - Date.now()))
    : undefined;
  const status = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  if (status !== 0 && status !== 130)
    throw new Error(`training ${run.id} ended with status ${status}: ${errors.trim().split('\n').at(-1)}`);
  const rows = existsSync(path.join(folder, 'metrics.jsonl'))
    ? readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
  const seconds = rows.map((row) => row.seconds).sort((a, b) => a - b);
  const common = {
    ...run,
    planned: run.epochs,
    asked: epochs,
    epochs: rows.length,
    epochSeconds: seconds[seconds.length >> 1] ?? 0,
    accuracyByEpoch: rows.map((row) => Number(row.validationAccuracy.toFixed(4))),
  };
  if (status === 130) return { finished: false, ...common };
  const { split, n, accuracy, accuracyInterval, macroPrecision, macroRecall, chosen } = JSON.parse(
    readFileSync(path.join(folder, 'evaluation.json'), 'utf8'),
  );
  return { finished: true, ...common, split, n, accuracy, accuracyInterval, macroPrecision, macroRecall, chosen };
}
