/** What becomes of a training whose MLflow server refuses, vanishes or comes back. How a real one takes it: `npm run interop -- mlflow`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { mlflow } from '../../lib/tracking/mlflow.js';

interface Asked {
  what: string;
  body: Record<string, unknown>;
  authorization?: string;
}

let folder: string;
let server: Server;
let uri: string;
let asked: Asked[];
/** Answers a request instead of the server; undefined: it does itself. */
let instead: (what: string) => [status: number, body: string] | undefined;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-mlflow-'));
  asked = [];
  instead = () => undefined;
  server = createServer((request, response) => {
    void read(request).then((text) => {
      const what = `${request.method} ${request.url!.replace('/api/2.0/mlflow/', '').split('?')[0]}`;
      asked.push({ what, body: JSON.parse(text || '{}') as Record<string, unknown>, authorization: request.headers.authorization });
      const run = { info: { run_id: 'run1', artifact_uri: 'file:///elsewhere' }, data: { metrics: [{ key: 'loss/training', step: 1 }] } };
      const answers: Record<string, unknown> = {
        'GET experiments/get-by-name': { experiment: { experiment_id: '7' } },
        'POST runs/create': { run },
        'GET runs/get': { run },
      };
      const [status, body] = instead(what) ?? [200, JSON.stringify(answers[what] ?? {})];
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const all = syntheticFaces({ size: 20 });
/** A few of them: what is trained matters to nobody here. */
const data = { ...all, splits: new Map([...all.splits].map(([name, rows]) => [name, rows.subarray(0, 140)])) };
const small = (): MiniXception => MiniXception.create({ width: { stem: [3, 4], modules: [5] }, inputSize: 20 });
const OPTIONS = { preset: 'quick', epochs: 3 } as const;
const stepsOf = (key: string): unknown[] =>
  asked
    .flatMap(({ body }) => (body.metrics ?? []) as { key: string; step: number }[])
    .filter((metric) => metric.key === key)
    .map(({ step }) => step);

describe('MLflow', () => {
  it('is told options, each epoch once, figures and the end', async () => {
    using model = small();
    const { evaluation } = await model.fit(data, { ...OPTIONS, runFolder: path.join(folder, 'run'), trackers: [mlflow({ uri: `${uri}/`, token: 'secret' })] }); // prettier-ignore
    expect(stepsOf('loss/training')).toEqual([1, 2, 3]);
    expect(asked.flatMap(({ body }) => (body.metrics ?? []) as { key: string; value: number }[])).toContainEqual(
      expect.objectContaining({ key: 'test/accuracy', value: evaluation!.accuracy }),
    );
    const params = asked.flatMap(({ body }) => (body.params ?? []) as unknown[]);
    expect(params).toContainEqual({ key: 'epochs', value: '3' });
    expect(asked.find(({ what }) => what === 'POST runs/create')!.body).toMatchObject({ experiment_id: '7', run_name: 'run' });
    expect(asked.at(-1)).toMatchObject({
      what: 'POST runs/update',
      body: { run_id: 'run1', status: 'FINISHED' },
      authorization: 'Bearer secret',
    });
    expect(JSON.parse(readFileSync(path.join(folder, 'run', 'mlflow.json'), 'utf8'))).toEqual({ uri, runId: 'run1' });
  });

  it('goes on with the run of the folder, with the epochs that it lacks', async () => {
    const runFolder = path.join(folder, 'run');
    using first = small();
    const stop = new AbortController();
    const onEpoch = (): void => stop.abort();
    await first.fit(all, { ...OPTIONS, runFolder, trackers: [mlflow({ uri })], signal: stop.signal, onEpoch });
    expect(asked.at(-1)).toMatchObject({ body: { status: 'KILLED' } });
    asked = [];
    using second = small();
    await second.fit(all, { runFolder, resume: true, trackers: [mlflow({ uri })] });
    expect(asked.map(({ what }) => what)).not.toContain('POST runs/create');
    expect(stepsOf('loss/training')).toEqual([2, 3]); // the server knows of the first
  });

  it.each<[string, (what: string) => [number, string] | undefined, RegExp]>([
    [
      'refuses',
      (what) => (what.endsWith('runs/create') ? [403, '{"message": "Permission denied"}'] : undefined),
      /refused POST mlflow\/runs\/create: 403 Permission denied/,
    ],
    ['is no MLflow server', () => [200, '<html>'], /answered GET experiments\/get-by-name.* is it an MLflow server/],
  ])('that %s at the beginning ends the run before it begins', async (_, answer, message) => {
    instead = answer;
    using model = small();
    const runFolder = path.join(folder, 'run');
    const trained = model.fit(data, { ...OPTIONS, runFolder, trackers: [mlflow({ uri })] });
    await expect(trained).rejects.toMatchObject({ code: 'ERR_FER_TRACKING', message: expect.stringMatching(message) as string });
    expect(existsSync(path.join(runFolder, 'config.json'))).toBe(false);
    // Nothing of it hinders a second try.
    instead = () => undefined;
    await model.fit(data, { ...OPTIONS, runFolder, trackers: [mlflow({ uri })] });
  });

  it('that is not there is an error with its address, and what is no address is refused', async () => {
    using model = small();
    const trained = model.fit(data, { ...OPTIONS, trackers: [mlflow({ uri: 'http://127.0.0.1:9' })] });
    await expect(trained).rejects.toMatchObject({ code: 'ERR_FER_TRACKING', message: expect.stringMatching(/http:\/\/127\.0\.0\.1:9 cannot be reached/) as string }); // prettier-ignore
    expect(() => mlflow({ uri: 'localhost:5000' })).toThrow(/expected an address such as http:\/\/localhost:5000, got "localhost:5000"/);
  });

  it('that vanishes costs a warning, and is told what it missed when it is back', async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', listen);
    using model = small();
    const onEpoch = ({ epoch }: { epoch: number }): void => {
      instead = (what) => (epoch === 1 && what.includes('log-batch') ? [500, 'gone'] : undefined);
    };
    const { rows } = await model.fit(data, { ...OPTIONS, trackers: [mlflow({ uri })], onEpoch });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(rows).toHaveLength(3);
    expect(warnings.filter((each) => each.startsWith('MLflow has not all of this run'))).toHaveLength(1);
    expect(stepsOf('loss/training')).toEqual([1, 2, 2, 3]); // the second time with the third
  });

  it('is reached by flags and by the environment', () => {
    const fer = (args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stderr: string } => {
      const { MLFLOW_TRACKING_URI: _uri, ...rest } = process.env;
      const { status, stderr } = spawnSync(process.execPath, [path.resolve('dist/cli/main.js'), 'train', ...args], { cwd: folder, encoding: 'utf8', env: { ...rest, ...env } }); // prettier-ignore
      return { status, stderr };
    };
    expect(fer(['--mlflow'])).toMatchObject({ status: 2, stderr: expect.stringContaining('MLFLOW_TRACKING_URI set') as string });
    expect(fer(['--mlflow', 'localhost'])).toMatchObject({ status: 2, stderr: expect.stringContaining('for --mlflow') as string });
    expect(fer(['--mlflow-experiment', 'x'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--mlflow beside it') as string });
    const unreachable = fer(['--mlflow', '--epochs', '1', '--width', '3,4:5', '--input-size', '20', '--run-dir', 'none'], {
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
    });
    expect(unreachable).toMatchObject({ status: 1, stderr: expect.stringContaining('[ERR_FER_TRACKING]') as string });
  });
});

describe('--json', () => {
  it('tells a run in lines, and nothing else on standard output', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        path.resolve('dist/cli/main.js'),
        'train',
        '--json',
        '--width',
        '3,4:5',
        '--input-size',
        '48',
        '--batch-size',
        '1',
        '--epochs',
        '2',
        '--run-dir',
        'run',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    const kinds = lines.map(({ event }) => event);
    expect([kinds[0], kinds.at(-1)]).toEqual(['begin', 'end']);
    expect(lines.filter(({ event }) => event === 'epoch').map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(kinds).toContain('progress');
    expect(lines[0]).toMatchObject({ runFolder: 'run', config: { epochs: 2, width: '3,4:5' } });
    const evaluation = JSON.parse(readFileSync(path.join(folder, 'run', 'evaluation.json'), 'utf8')) as { accuracy: number };
    expect(lines.at(-1)).toMatchObject({ aborted: false, split: 'PrivateTest', evaluation: { accuracy: evaluation.accuracy } });
  });
});
