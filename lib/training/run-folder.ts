/** A run's folder: configuration, metrics of every epoch, checkpoints, and what is written at the end. */
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import type { EpochRow } from '../metrics/epoch.js';
import { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from '../network/model-file.js';
import type { Tensor } from '../network/safetensors.js';
import { widthName } from '../network/width.js';
import type { Progress } from './progress.js';

export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * A new folder, or an empty one.
   * @throws {FerError} ERR_FER_CHECKPOINT when it already holds a run.
   */
  static async create(folder: string): Promise<RunFolder> {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0)
      throw new FerError('ERR_FER_CHECKPOINT', `${folder} is not empty; resume the run in it, or choose another folder`, {
        details: { folder },
      });
    return new RunFolder(folder);
  }

  /** @throws {FerError} ERR_FER_CHECKPOINT when there is nothing to resume. */
  static async open(folder: string): Promise<{ run: RunFolder; checkpoint: ModelFile & { progress: Progress } }> {
    const run = new RunFolder(folder);
    const fail = (reason: string, cause?: unknown): never => {
      throw new FerError('ERR_FER_CHECKPOINT', `${folder} cannot be resumed: ${reason}`, { cause, details: { folder } });
    };
    const [file, { readProgress }] = await Promise.all([
      readModelFile(run.file('last.safetensors')).catch((cause: Error) => fail(cause.message, cause)),
      import('./checkpoint.js'),
    ]);
    const { training, width, inputSize } = file.metadata;
    if (training?.rows === undefined) fail('last.safetensors is a model, not a checkpoint');
    const progress = readProgress(training, (reason) => fail(`in last.safetensors, ${reason}`));
    const { config } = progress;
    if (widthName(width) !== config.width || inputSize !== config.inputSize)
      fail(
        `in last.safetensors, its configuration is that of a ${config.width} network at ${config.inputSize} pixels, and it holds another`,
      );
    return { run, checkpoint: { ...file, progress } };
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await writeFileAtomic(this.file(name), `${JSON.stringify(value, null, 2)}\n`);
  }

  async writeText(name: string, text: string): Promise<void> {
    await writeFileAtomic(this.file(name), `${text}\n`);
  }

  /** Both metric files hold exactly the rows given, so that a resumed run has no row twice. */
  async writeRows(rows: readonly EpochRow[]): Promise<void> {
    if (rows.length === 0) return;
    await writeFileAtomic(this.file('metrics.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const keys = Object.keys(rows[0]) as (keyof EpochRow)[];
    await writeFileAtomic(
      this.file('metrics.csv'),
      [keys.join(), ...rows.map((row) => keys.map((key) => row[key]).join())].map((line) => `${line}\n`).join(''),
    );
  }

  async writeCheckpoint(
    metadata: ModelMetadata,
    tensors: Map<string, Tensor>,
    state: Map<string, Tensor>,
    progress: Progress,
  ): Promise<void> {
    await writeModelFile(
      this.file('last.safetensors'),
      { metadata: { ...metadata, training: progress as unknown as Record<string, unknown> }, tensors },
      state,
    );
  }
}
