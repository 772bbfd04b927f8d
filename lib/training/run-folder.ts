/** A run's folder: configuration, metrics of every epoch, checkpoints, and what is written at the end. */
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import { FerError } from '../errors.js';
import type { EpochRow } from '../metrics/epoch.js';
import type { NativeEpochTotals } from '../native.js';
import { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from '../network/model-file.js';
import type { Tensor } from '../network/safetensors.js';
import type { TrainingConfig } from './options.js';

/** Where training stands; kept in the checkpoint beside the tensors. */
export interface Progress {
  config: TrainingConfig;
  /** Finished epochs; the next one's zero-based number. */
  epoch: number;
  /** Totals of an interrupted epoch. */
  totals: NativeEpochTotals;
  /** Optimiser steps taken. */
  steps: number;
  schedule: Record<string, number>;
  rows: EpochRow[];
  best: { epoch: number; accuracy: number };
  dataSource: string;
  /** What computed it, in order: more than one after a resumption elsewhere. Absent in checkpoints of earlier versions. */
  devices?: string[];
}

/** The devices that computed a run, once `device` goes on with it. */
export const withDevice = ({ devices = [] }: Progress, device: string): string[] =>
  devices.at(-1) === device ? devices : [...devices, device];

/** A run is the same bit for bit only on one device, instruction set and number of threads: what to say where there were more. */
export const noteOnDevices = (devices: readonly string[] = []): string[] =>
  devices.length > 1
    ? [`computed on ${devices.join('; then on ')}: run on one of them throughout, it would differ in its last digits`]
    : [];

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
    try {
      const file = await readModelFile(run.file('last.safetensors'));
      const progress = file.metadata.training as unknown as Progress;
      if (!progress?.config || !Array.isArray(progress.rows)) throw new Error('it is a model, not a checkpoint');
      return { run, checkpoint: { ...file, progress } };
    } catch (cause) {
      throw new FerError('ERR_FER_CHECKPOINT', `${folder} cannot be resumed: ${(cause as Error).message}`, { cause, details: { folder } });
    }
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
