/** A training as a run on an MLflow tracking server, by its REST API: options, figures of every epoch, and at the end the files. */
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import { FerError, invalidArgument } from '../errors.js';
import { isObject } from '../json.js';
import type { EpochRow } from '../metrics/epoch.js';
import { readRegular } from '../regular-file.js';
import type { RunEnd, RunFacts, Tracker } from '../training/fit.js';
import { packageVersion } from '../version.js';
import { epochScalars, testScalars } from './scalars.js';
import { settingsOf } from './settings.js';

/** Where to track, and under which names. */
export interface MlflowOptions {
  /** Of the server, such as "http://localhost:5000". */
  uri: string;
  /** Made where it is not there. Default "fer-cudnn". */
  experiment?: string;
  /** Default the run folder's name, or "fer-cudnn". */
  runName?: string;
  /** Sent as a bearer token. Default none. */
  token?: string;
  /** Sent with `password` where there is no token. Default none. */
  user?: string;
  /** Of `user`. */
  password?: string;
}

/** Of a run folder: which run of which server it is. */
export const MLFLOW_STATE = 'mlflow.json';

/** A server that answers no request within so many milliseconds is not there. */
const PATIENCE = 15_000;
/** What a call of log-batch takes. */
const MOST = { params: 100, metrics: 1000 };
/** The longest value of a parameter. */
const LONGEST = 500;
const ARTIFACTS = ['README.md', 'model.safetensors', 'config.json', 'evaluation.json', 'confusion-matrix.png', 'curves.png', 'metrics.csv'];
const STATUS = { finished: 'FINISHED', aborted: 'KILLED', failed: 'FAILED' } as const;

type Fields = Record<string, unknown>;

class Mlflow implements Tracker {
  readonly name = 'MLflow';
  private readonly base: string;
  private runId = '';
  private runFolder: string | undefined;
  /** Epochs that the server has not taken yet: told with the next one. */
  private unsent: EpochRow[] = [];

  constructor(private readonly options: MlflowOptions) {
    const { uri } = options;
    if (typeof uri !== 'string' || !/^https?:\/\/[^\s]+$/.test(uri) || !URL.canParse(uri))
      invalidArgument('the MLflow server', 'an address such as http://localhost:5000', uri);
    this.base = uri.endsWith('/') ? uri.slice(0, -1) : uri;
  }

  async begin(facts: RunFacts): Promise<void> {
    this.runFolder = facts.runFolder;
    const known = facts.resumed ? await this.knownRun() : undefined;
    if (known) {
      this.runId = known.runId;
      await this.call('POST', 'runs/update', { run_id: this.runId, status: 'RUNNING' });
      // What an earlier process had trained and could not tell.
      await this.logRows(facts.rows.filter(({ epoch }) => epoch > known.epoch));
      return;
    }
    const experiment = await this.experimentId();
    const name = this.options.runName ?? (facts.runFolder ? path.basename(path.resolve(facts.runFolder)) : 'fer-cudnn');
    const { run } = await this.call('POST', 'runs/create', {
      experiment_id: experiment,
      run_name: name,
      start_time: Date.now(),
      tags: [
        { key: 'mlflow.source.name', value: 'fer-cudnn' },
        { key: 'fer-cudnn.version', value: packageVersion() },
      ],
    });
    this.runId = stringAt(run, 'info', 'run_id');
    const { classes, device, parameterCount, dataSource } = facts;
    const settings = Object.fromEntries(settingsOf(facts.config));
    const params = { ...settings, data: path.basename(dataSource), classes: classes.join(', '), device, parameters: parameterCount };
    const list = Object.entries(params).map(([key, value]) => ({ key, value: String(value).slice(0, LONGEST) }));
    for (let i = 0; i < list.length; i += MOST.params) await this.log({ params: list.slice(i, i + MOST.params) });
    await this.logRows(facts.rows);
    if (this.runFolder)
      await writeFileAtomic(path.join(this.runFolder, MLFLOW_STATE), `${JSON.stringify({ uri: this.base, runId: this.runId }, null, 2)}\n`);
  }

  async epoch(row: EpochRow): Promise<void> {
    this.unsent.push(row);
    await this.logUnsent();
  }

  async end(end: RunEnd): Promise<void> {
    await this.logUnsent();
    if (end.status === 'finished' && end.result) {
      const { evaluation, chosen } = end.result;
      if (evaluation) await this.log({ metrics: metricsOf(testScalars(evaluation), chosen.epoch) });
      await this.uploadArtifacts();
    }
    await this.call('POST', 'runs/update', { run_id: this.runId, status: STATUS[end.status], end_time: Date.now() });
  }

  private async logUnsent(): Promise<void> {
    await this.logRows(this.unsent);
    this.unsent = [];
  }

  private async logRows(rows: readonly EpochRow[]): Promise<void> {
    const metrics = rows.flatMap((row) => metricsOf(epochScalars(row), row.epoch));
    for (let i = 0; i < metrics.length; i += MOST.metrics) await this.log({ metrics: metrics.slice(i, i + MOST.metrics) });
  }

  private async log(what: Fields): Promise<void> {
    await this.call('POST', 'runs/log-batch', { run_id: this.runId, ...what });
  }

  /** The run that this folder's training is on the same server, and the last epoch that it knows; undefined where it has none. */
  private async knownRun(): Promise<{ runId: string; epoch: number } | undefined> {
    if (!this.runFolder) return undefined;
    const state = await readRegular(path.join(this.runFolder, MLFLOW_STATE)).then((bytes) => JSON.parse(bytes.toString()) as unknown, () => undefined); // prettier-ignore
    if (!isObject(state) || state.uri !== this.base || typeof state.runId !== 'string') return undefined;
    const { run } = await this.call('GET', `runs/get?run_id=${encodeURIComponent(state.runId)}`);
    const metrics = (isObject(run) && isObject(run.data) && Array.isArray(run.data.metrics) ? run.data.metrics : []) as Fields[];
    return { runId: state.runId, epoch: Number(metrics.find(({ key }) => key === 'loss/training')?.step ?? 0) };
  }

  private async experimentId(): Promise<string> {
    const { experiment: name = 'fer-cudnn' } = this.options;
    const found = await this.call('GET', `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, undefined, [404]);
    if (isObject(found.experiment)) return stringAt(found.experiment, 'experiment_id');
    return stringAt(await this.call('POST', 'experiments/create', { name }), 'experiment_id');
  }

  /** Where the server takes files itself. Elsewhere (a bucket, a folder) they stay in the run folder. */
  private async uploadArtifacts(): Promise<void> {
    const { run } = await this.call('GET', `runs/get?run_id=${encodeURIComponent(this.runId)}`);
    const artifacts = stringAt(run, 'info', 'artifact_uri');
    if (!artifacts.startsWith('mlflow-artifacts:') || !URL.canParse(artifacts) || !this.runFolder) return;
    const place = new URL(artifacts).pathname;
    for (const name of ARTIFACTS) {
      const bytes = await readRegular(path.join(this.runFolder, name)).catch(() => undefined);
      if (!bytes) continue;
      await this.send('PUT', `mlflow-artifacts/artifacts${place}/${name}`, new Uint8Array(bytes), 'application/octet-stream');
    }
  }

  private async call(method: string, endpoint: string, body?: Fields, allowed: readonly number[] = []): Promise<Fields> {
    const text = await this.send(method, `mlflow/${endpoint}`, body && JSON.stringify(body), 'application/json', allowed);
    try {
      const value: unknown = JSON.parse(text || '{}');
      if (isObject(value)) return value;
    } catch {
      // Told below.
    }
    throw this.trouble(`answered ${method} ${endpoint} with what is no JSON; is it an MLflow server?`);
  }

  private async send(
    method: string,
    endpoint: string,
    body: string | Uint8Array<ArrayBuffer> | undefined,
    type: string,
    allowed: readonly number[] = [],
  ): Promise<string> {
    // prettier-ignore
    const headers: Record<string, string> = { 'Content-Type': type, ...authorization(this.options) };
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      response = await fetch(`${this.base}/api/2.0/${endpoint}`, { method, headers, body, signal });
      text = await response.text();
    } catch (error) {
      const { cause, message, name } = error as Error;
      const why = name === 'TimeoutError' ? `no answer within ${PATIENCE / 1000} s` : cause instanceof Error && cause.message ? cause.message : message; // prettier-ignore
      throw this.trouble(`cannot be reached: ${why}`, error);
    }
    if (response.ok || allowed.includes(response.status)) return text;
    throw this.trouble(`refused ${method} ${endpoint.split('?')[0]}: ${response.status} ${messageIn(text) ?? response.statusText}`);
  }

  private trouble(words: string, cause?: unknown): FerError {
    return new FerError('ERR_FER_TRACKING', `the MLflow server ${this.base} ${words}`, { cause, details: { uri: this.base } });
  }
}

const metricsOf = (scalars: Record<string, number>, step: number): Fields[] =>
  Object.entries(scalars).map(([key, value]) => ({ key, value, timestamp: Date.now(), step }));

function authorization({ token, user, password }: MlflowOptions): Record<string, string> {
  if (token) return { Authorization: `Bearer ${token}` };
  return user ? { Authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` } : {};
}

/** A text within objects; empty where it is not there. */
function stringAt(value: unknown, ...keys: string[]): string {
  const found = keys.reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), value);
  return typeof found === 'string' ? found : '';
}

/** What MLflow says of an error. */
function messageIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value.message === 'string' ? value.message.split('\n')[0] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Follows a training on an MLflow server. A run that goes on from its folder goes on there, too.
 * Throws at the beginning of a run ERR_FER_TRACKING where the server cannot be reached or refuses.
 * @throws {FerError} ERR_FER_ARGUMENT for what is no address
 */
export const mlflow = (options: MlflowOptions): Tracker => new Mlflow(options);
