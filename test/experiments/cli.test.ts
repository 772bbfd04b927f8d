import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXPERIMENTS } from '../../lib/experiments/registry.js';
import type { ExperimentResult } from '../../lib/report/result.js';
import { timeless } from './tiny.js';

const MAIN = path.resolve('dist/cli/main.js');
let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-experiment-cli-'));
  environment = { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache'), NO_COLOR: '1' };
  expect(run('width', ...small, '--out', 'whole').status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'experiment', ...args], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('close', resolve));
const small = ['--widths', '4,4:8,8', '4,8:8,8', '--input-size', '24', '--epochs', '3', '--threads', '1'];
const resultOf = (out: string, name: string): unknown =>
  timeless([JSON.parse(readFileSync(path.join(folder, out, 'report', name, 'result.json'), 'utf8')) as ExperimentResult]);

describe('experiment', () => {
  it.each([[], ...EXPERIMENTS.map(({ name }) => [name]), ['all']])('teaches: %s', (...command) => {
    const { status, stdout } = run(...command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: fer-cudnn experiment/);
  });

  it('killed in the middle goes on to the result of an unbroken run, and Ctrl-C saves', async () => {
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const child = spawn(process.execPath, [MAIN, 'experiment', 'width', ...small, '--out', 'broken'], { cwd: folder, env: environment });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      // Killed as soon as there is a checkpoint to go on from; interrupted when one cell is done and the next under way.
      const cells = path.join(folder, 'broken/cells/width');
      const ripe = (): boolean =>
        signal === 'SIGINT'
          ? /^width\/\S+ /m.test(stderr)
          : existsSync(cells) && readdirSync(cells).some((cell) => existsSync(path.join(cells, cell, 'run/last.safetensors')));
      while (!ripe() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill(signal);
      const status = await ended(child);
      expect(status).toBe(signal === 'SIGINT' ? 130 : null);
      if (signal === 'SIGINT') expect(stderr).toContain('the same command goes on');
      expect(existsSync(path.join(folder, 'broken/report'))).toBe(false);
    }
    expect(run('width', ...small, '--out', 'broken').status).toBe(0);
    expect(resultOf('broken', 'width')).toEqual(resultOf('whole', 'width'));
  });

  it('prints a plan with times and runs nothing', () => {
    const { status, stdout } = run('width', ...small, '--seeds', '0', '1', '--dry-run', '--out', 'planned');
    expect(status).toBe(0);
    expect(stdout).toMatch(/width\/4-8_8-8-paper-1 .*3 epochs +\d+\.\d s/);
    expect(stdout).toMatch(/4 cells, about [\d.:]+ s on one device; nothing was run/);
    expect(existsSync(path.join(folder, 'planned'))).toBe(false);
  });

  it('goes on with its own options, and refuses others', () => {
    expect(run('width', ...small, '--out', 'own').status).toBe(0);
    const again = run('width', '--out', 'own');
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('report.html');
    expect(run('width', '--out', 'own', '--seeds', '5')).toMatchObject({ status: 1, stderr: expect.stringContaining('(seeds)') as string });
  });

  it.each([
    [['width', '--widths', 'narow'], /for --widths|for --width/],
    [['width', '--presets', 'clen'], /got "clen", for --presets/],
    [['width', '--epochs', 'narow=3'], /nearest: narrow.*got "narow", for --epochs/],
    [['width', '--epochs', 'narrow=1,2'], /for --epochs/],
    [['width', '--cell', 'a', '--collect'], /--collect and --cell do not go together/],
    [['hyperparameters', '--grid', 'absent.yaml'], /absent\.yaml: cannot be read/],
    [['all', '--emit', 'kubernetes', '--out', 'k'], /needs --image.*--claim/],
    [['widht'], /unknown command 'widht'.*width/],
  ])('%j is a usage error', (args, message) => {
    const { status, stderr } = run(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

describe('a job array', () => {
  it('of Slurm, its jobs run as processes side by side, gives what one run gives', async () => {
    const args = [...small, '--seeds', '0', '1'];
    expect(run('width', ...args, '--out', 'alone').status).toBe(0);
    const emitted = run('width', ...args, '--out', 'array', '--emit', 'slurm');
    expect(emitted).toMatchObject({ status: 0, stdout: 'array/job.slurm\n' });
    const script = path.join(folder, 'array/job.slurm');
    const [, last] = /#SBATCH --array=0-(\d+)/.exec(readFileSync(script, 'utf8'))!;
    expect(last).toBe('3');
    const early = run('width', '--out', 'array', '--collect');
    expect(early.status).toBe(1);
    const jobs = Array.from({ length: Number(last) + 1 }, (_, index) =>
      ended(spawn('bash', [script], { cwd: folder, env: { ...environment, SLURM_ARRAY_TASK_ID: String(index) } })),
    );
    expect(await Promise.all(jobs)).toEqual([0, 0, 0, 0]);
    expect(run('width', '--out', 'array', '--collect').status).toBe(0);
    expect(resultOf('array', 'width')).toEqual(resultOf('alone', 'width'));
  });

  it('of Kubernetes, its pods run as processes, gives what one run gives', async () => {
    const emitted = run(
      'width',
      ...small,
      '--out',
      'pods',
      '--emit',
      'kubernetes',
      '--image',
      'registry/fer-cudnn:1',
      '--claim',
      'results',
    );
    expect(emitted.status).toBe(0);
    const [config, job] = parseAllDocuments(readFileSync(path.join(folder, 'pods/job.yaml'), 'utf8')).map(
      (document) => document.toJS() as Record<string, never>,
    ) as unknown as [
      { data: Record<string, string> },
      { spec: { completions: number; template: { spec: { containers: { command: string[] }[] } } } },
    ];
    // The volumes of a pod: the plan read-only, and what all share.
    const shared = path.join(folder, 'volume');
    const plan = path.join(folder, 'plan');
    mkdirSync(plan);
    mkdirSync(shared);
    writeFileSync(path.join(plan, 'experiment.json'), config.data['experiment.json']);
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'fer-cudnn'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`);
    chmodSync(path.join(bin, 'fer-cudnn'), 0o755);
    const [shell, flag, text] = job.spec.template.spec.containers[0].command;
    const here = text.replaceAll('/shared', shared).replaceAll('/plan/', `${plan}/`);
    const pods = Array.from({ length: job.spec.completions }, (_, index) =>
      ended(
        spawn(shell, [flag, here], {
          env: { ...environment, PATH: `${bin}:${process.env.PATH}`, JOB_COMPLETION_INDEX: String(index) },
        }),
      ),
    );
    expect(await Promise.all(pods)).toEqual([0, 0]);
    expect(run('width', '--out', path.join(shared, 'width'), '--report', 'pods/report', '--collect').status).toBe(0);
    expect(resultOf('pods', 'width')).toEqual(resultOf('whole', 'width'));
  });
});
