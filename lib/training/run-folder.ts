/**
 * A run's folder: configuration, metrics of every epoch, checkpoints, and what is written at the end. One process at a time works in it.
 *
 *   last.safetensors   the checkpoint, from before the first step on
 *   config.json        written after it: where it is, there is something to resume
 *   lock               who works in it, while someone does
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isTemporary, makeFolder, writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import { heldBy, holderOf, Lock } from '../lock.js';
import type { EpochRow } from '../metrics/epoch.js';
import { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from '../network/model-file.js';
import type { Tensor } from '../network/safetensors.js';
import { widthName } from '../network/width.js';
import type { Progress } from './progress.js';

const LOCK = 'lock';
const CHECKPOINT = 'last.safetensors';
const CONFIG = 'config.json';

export type Checkpoint = ModelFile & { progress: Progress };

export class RunFolder {
  private constructor(
    readonly path: string,
    private readonly lock: Lock,
  ) {}

  /**
   * A new folder, or one that holds nothing to go on with; locked until `release`.
   * @throws {FerError} ERR_FER_CHECKPOINT when it holds a run or something else, or is in use; ERR_FER_WRITE
   */
  static async create(folder: string): Promise<RunFolder> {
    await makeFolder(folder);
    return RunFolder.locked(folder, async (run) => {
      const held = await contentsOf(folder);
      if (held.length > 0 && held.join() !== CONFIG)
        throw new FerError('ERR_FER_CHECKPOINT', `${folder} is not empty; resume the run in it, or choose another folder`, {
          details: { folder },
        });
      return run;
    });
  }

  /**
   * The run to go on with, locked until `release`.
   * @throws {FerError} ERR_FER_CHECKPOINT when there is nothing to resume, or it is in use; ERR_FER_WRITE
   */
  static async open(folder: string): Promise<{ run: RunFolder; checkpoint: Checkpoint }> {
    await RunFolder.read(folder);
    // Read again: until the lock was ours, another process may have gone on.
    return RunFolder.locked(folder, async (run) => ({ run, checkpoint: await readCheckpoint(folder) }));
  }

  /**
   * The checkpoint of a run that nobody works at; nothing is locked, nothing written.
   * @throws {FerError} ERR_FER_CHECKPOINT
   */
  static async read(folder: string): Promise<Checkpoint> {
    const file = path.join(folder, LOCK);
    const holder = await holderOf(file).catch(() => undefined);
    if (holder) throw await heldBy(holder, file, folder);
    return readCheckpoint(folder);
  }

  private static async locked<T>(folder: string, work: (run: RunFolder) => Promise<T>): Promise<T> {
    const file = path.join(folder, LOCK);
    const lock = await Lock.take(file);
    if (!(lock instanceof Lock)) throw await heldBy(lock, file, folder);
    try {
      for (const name of await readdir(folder)) if (isTemporary(name)) await rm(path.join(folder, name), { force: true });
      return await work(new RunFolder(folder, lock));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Lets others work in it. */
  release(): Promise<void> {
    return this.lock.release();
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

  writeConfig({ config }: Progress): Promise<void> {
    return this.writeJson(CONFIG, config);
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
      this.file(CHECKPOINT),
      { metadata: { ...metadata, training: progress as unknown as Record<string, unknown> }, tensors },
      state,
    );
  }
}

/** What trackers leave before the first checkpoint. */
const TRACKED = /^(?:events\.out\.tfevents\.|mlflow\.json$)/;

/** What a folder holds beside a lock, what trackers leave and what killed processes left of files that they were writing. */
const contentsOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name !== LOCK && name !== `${LOCK}.next` && !isTemporary(name) && !TRACKED.test(name));

async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${folder} cannot be resumed: ${reason}`, { cause, details: { folder } });
  };
  const held = await contentsOf(folder).catch(
    (error: NodeJS.ErrnoException) =>
    fail(({ ENOENT: 'there is no such folder', ENOTDIR: 'it is no folder' } as Record<string, string>)[error.code!] ?? `it cannot be read: ${error.code}`, error), // prettier-ignore
  );
  if (held.length === 0) fail('it is empty');
  if (!held.includes(CHECKPOINT))
    fail(
      held.join() === CONFIG
        ? `its run was killed before the first checkpoint; begin it anew with the command that began it, or with --run-dir ${folder}`
        : `it holds no run: there is no ${CHECKPOINT} in it`,
    );
  const [file, { readProgress }] = await Promise.all([
    readModelFile(path.join(folder, CHECKPOINT)).catch((cause: Error) => fail(cause.message, cause)),
    import('./checkpoint.js'),
  ]);
  const { training, width, inputSize } = file.metadata;
  if (training?.rows === undefined) fail(`${CHECKPOINT} is a model, not a checkpoint`);
  const progress = readProgress(training, (reason) => fail(`in ${CHECKPOINT}, ${reason}`));
  const { config } = progress;
  if (widthName(width) !== config.width || inputSize !== config.inputSize)
    fail(`in ${CHECKPOINT}, its configuration is that of a ${config.width} network at ${config.inputSize} pixels, and it holds another`);
  return { ...file, progress };
}
