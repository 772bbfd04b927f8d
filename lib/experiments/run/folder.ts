/**
 * The folder of an experiment: its plan, and one file for every finished cell. Any number of processes may work in it,
 * each on cells of its own.
 *
 *   experiment.json                 which experiments, with which options, on which data
 *   cells/<experiment>/<cell>.json  what a finished cell found
 *   cells/<experiment>/<cell>/      what a cell keeps while it runs
 *   report/                         made from the cells, see lib/report/
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../atomic-file.js';
import { FerError } from '../../errors.js';
import type { CellResult } from '../experiment.js';
import { resolveOptions, type ExperimentOptions } from '../options.js';

const FORMAT = 1;
const PLAN = 'experiment.json';

export interface Plan {
  experiments: string[];
  options: ExperimentOptions;
  /** Path of the data set as given; absent: the synthetic faces. */
  data?: string;
}

/** What experiment.json holds. */
export const planText = (plan: Plan): string => `${JSON.stringify({ format: FORMAT, ...plan }, null, 2)}\n`;

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
    const stored = await ExperimentFolder.planOf(folder);
    if (!stored) {
      const plan: Plan = { experiments, options: resolveOptions(given), data };
      await writeFileAtomic(path.join(folder, PLAN), planText(plan));
      return new ExperimentFolder(folder, plan);
    }
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
    const stored = await readJson<Plan & { format: number }>(file);
    if (!stored) return undefined;
    const { format, ...plan } = stored;
    if (format !== FORMAT)
      throw new FerError('ERR_FER_CHECKPOINT', `expected format ${FORMAT}, got ${format}, for ${file}`, { details: { file } });
    return plan;
  }

  /** Where a cell keeps what it needs to resume; `id`, here as below: "<experiment>/<cell>". */
  cellFolder(id: string): string {
    return path.join(this.path, 'cells', id);
  }

  readCell(id: string): Promise<CellResult | undefined> {
    return readJson(`${this.cellFolder(id)}.json`);
  }

  async writeCell(id: string, result: CellResult): Promise<void> {
    await writeFileAtomic(`${this.cellFolder(id)}.json`, `${JSON.stringify(result)}\n`);
  }
}

async function readJson<T>(file: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new FerError('ERR_FER_CHECKPOINT', `${file} is damaged; delete it, and what it held is worked out again`, {
      cause,
      details: { file },
    });
  }
}
