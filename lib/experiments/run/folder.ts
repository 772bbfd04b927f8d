/**
 * The folder of an experiment: its plan, and one file for every finished cell. Any number of processes may work in it:
 * a cell is run by one of them.
 *
 *   experiment.json                 which experiments, with which options, on which data
 *   cells/<experiment>/<cell>.json  what a finished cell found
 *   cells/<experiment>/<cell>/      what a cell keeps while it runs
 *   cells/<experiment>/<cell>.lock  who runs it, while someone does
 *   report/                         made from the cells, see lib/report/
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, writeFileAtomic } from '../../atomic-file.js';
import { FerError } from '../../errors.js';
import { alone } from '../../lock.js';
import type { CellResult } from '../experiment.js';
import { resolveOptions, type ExperimentOptions } from '../options.js';
import { PLAN_FORMAT, type Plan, type PlannedCell } from './plan.js';

const PLAN = 'experiment.json';

/** What experiment.json holds. */
export const planText = (plan: Plan): string => `${JSON.stringify({ format: PLAN_FORMAT, ...plan }, null, 2)}\n`;

export class ExperimentFolder {
  private constructor(
    readonly path: string,
    readonly plan: Plan,
  ) {}

  /**
   * A new folder, or one to go on with; then what is given must agree with its plan.
   * @throws {FerError} ERR_FER_CHECKPOINT
   */
  static async open(folder: string, experiments: string[], given: Partial<ExperimentOptions>, data?: string): Promise<ExperimentFolder> {
    const plan: Plan = { experiments, options: resolveOptions(given), data };
    await makeFolder(folder);
    // Of two that begin at once, one plans and the other agrees or does not.
    const stored = await alone(path.join(folder, 'lock'), folder, async () => {
      const there = await ExperimentFolder.planOf(folder);
      if (!there) await writeFileAtomic(path.join(folder, PLAN), planText(plan));
      return there;
    });
    if (!stored) return new ExperimentFolder(folder, plan);
    const merged = resolveOptions({ ...stored.options, ...given });
    const other = (Object.keys(merged) as (keyof ExperimentOptions)[]).filter(
      (key) => JSON.stringify(merged[key]) !== JSON.stringify(stored.options[key]),
    );
    if (stored.experiments.join() !== experiments.join()) other.unshift('experiment' as never);
    if (other.length > 0)
      throw new FerError(
        'ERR_FER_CHECKPOINT',
        `${folder} holds the experiment ${stored.experiments.join(', ')} with other options (${other.join(', ')}); go on with its own, or choose another folder`,
        { details: { folder, differing: other } },
      );
    return new ExperimentFolder(folder, stored);
  }

  /** @throws {FerError} ERR_FER_CHECKPOINT when there is no experiment. */
  static async existing(folder: string): Promise<ExperimentFolder> {
    const plan = await ExperimentFolder.planOf(folder);
    if (!plan) throw new FerError('ERR_FER_CHECKPOINT', `${folder} holds no experiment: there is no ${PLAN}`, { details: { folder } });
    return new ExperimentFolder(folder, plan);
  }

  /** The plan of a folder, if it has one. */
  static async planOf(folder: string): Promise<Plan | undefined> {
    const file = path.join(folder, PLAN);
    return readJson(file, 'make the experiment anew in another folder', async (value, fail) => (await schemas()).readPlan(value, fail));
  }

  /** Where a cell keeps what it needs to resume; `id`, here as below: "<experiment>/<cell>". */
  cellFolder(id: string): string {
    return path.join(this.path, 'cells', id);
  }

  /** The lock of a cell: whoever runs it holds it. Its folder is made where it is not there yet. */
  async cellLock(id: string): Promise<string> {
    const file = `${this.cellFolder(id)}.lock`;
    await makeFolder(path.dirname(file));
    return file;
  }

  /**
   * What a finished cell found; undefined where it has not finished.
   * @throws {FerError} ERR_FER_CHECKPOINT where its file is not what a cell leaves.
   */
  readCell({ id, experiment, cell }: PlannedCell): Promise<CellResult | undefined> {
    const file = `${this.cellFolder(id)}.json`;
    return readJson(file, 'delete it, and what it held is worked out again', async (value, fail) =>
      (await schemas()).readCellResult(experiment, cell, value, fail),
    );
  }

  async writeCell(id: string, result: CellResult): Promise<void> {
    await writeFileAtomic(`${this.cellFolder(id)}.json`, `${JSON.stringify(result)}\n`);
  }
}

type Fail = (reason: string) => never;

/** Loaded when there is a file to check. */
const schemas = () => import('./schema.js');

async function readJson<T>(file: string, remedy: string, check: (value: unknown, fail: Fail) => Promise<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new FerError('ERR_FER_CHECKPOINT', `${file} cannot be read: ${code}`, { cause, details: { file } });
  }
  const fail = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${file} is damaged: ${reason}; ${remedy}`, { cause, details: { file } });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    fail('it is not JSON', cause);
  }
  return check(value, fail);
}
