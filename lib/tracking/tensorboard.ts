/** A training as TensorBoard shows it: scalars of every epoch, the test figures, the confusion matrix as a picture, and its options. */
import { randomBytes } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { makeFolder, writeError } from '../atomic-file.js';
import { confusionMatrixChart } from '../charts/charts.js';
import { chartPng } from '../charts/write.js';
import { invalidArgument } from '../errors.js';
import type { EpochRow } from '../metrics/epoch.js';
import type { RunEnd, RunFacts, Tracker, TrainingResult } from '../training/fit.js';
import type { EventValue } from './event-schema.js';
import { epochScalars, testScalars } from './scalars.js';
import { settingsOf } from './settings.js';

/** `DataType` and `Status` of the plugin hparams. */
const TYPE: Readonly<Record<string, number>> = { string: 1, boolean: 2, number: 3 };
const STATUS = { finished: 1, failed: 2 } as const;
const RGBA = 4;

/** protobuf loads with it: once a run has begun. */
const events = (): Promise<typeof import('./event-schema.js')> => import('./event-schema.js');

const now = (): number => Date.now() / 1000;
const scalarValues = (scalars: Record<string, number>): EventValue[] =>
  Object.entries(scalars).map(([tag, simpleValue]) => ({ tag, simpleValue }));

class TensorBoard implements Tracker {
  readonly name = 'TensorBoard';
  private file: FileHandle | undefined;
  private at = '';

  constructor(private readonly folder: string | undefined) {}

  async begin({ config, runFolder, rows }: RunFacts): Promise<void> {
    const folder = this.folder ?? runFolder ?? invalidArgument('tensorBoard', 'a folder where there is no run folder', undefined);
    await makeFolder(folder);
    // TensorBoard reads a folder's files in the order of their names. A run can go on within the second in which it ended.
    const time = now().toFixed(3).padStart(14, '0');
    this.at = path.join(folder, `events.out.tfevents.${time}.${hostname()}.${process.pid}.${randomBytes(3).toString('hex')}`);
    try {
      this.file = await open(this.at, 'ax');
    } catch (error) {
      throw writeError(this.at, error);
    }
    const settings = settingsOf(config);
    const hparams = Object.fromEntries(settings.map(([name, value]) => [name, { [`${typeof value}Value`.replace('boolean', 'bool')]: value }])); // prettier-ignore
    const infos = settings.map(([name, value]) => ({ name, type: TYPE[typeof value] }));
    const metrics = ['accuracy/validation', 'loss/validation', 'test/accuracy', 'test/macro_f1'].map((tag) => ({ name: { tag } }));
    const { hparamsValue, startEvent, summaryEvent, versionEvent } = await events();
    await this.write(
      versionEvent(now()),
      // Whatever an earlier process of this run has written, this file has it all: no epoch is there twice.
      startEvent(now()),
      summaryEvent(now(), 0, [
        hparamsValue('experiment', { experiment: { hparamInfos: infos, metricInfos: metrics } }),
        hparamsValue('session_start_info', { sessionStartInfo: { hparams, startTimeSecs: now() } }),
      ]),
      ...rows.map((row) => summaryEvent(now(), row.epoch, scalarValues(epochScalars(row)))),
    );
  }

  epoch(row: EpochRow): Promise<void> {
    return this.tell(row.epoch, scalarValues(epochScalars(row)));
  }

  async end(end: RunEnd): Promise<void> {
    try {
      if (end.status === 'aborted') return;
      if (end.result) await this.test(end.result);
      const sessionEndInfo = { status: STATUS[end.status], endTimeSecs: now() };
      await this.tell(0, [(await events()).hparamsValue('session_end_info', { sessionEndInfo })]);
    } finally {
      await this.file?.close();
      this.file = undefined;
    }
  }

  private async test({ evaluation, chosen }: TrainingResult): Promise<void> {
    if (!evaluation) return;
    await this.tell(chosen.epoch, scalarValues(testScalars(evaluation)));
    const png = await chartPng(confusionMatrixChart(evaluation));
    // A PNG's header has its size, as two numbers of four bytes.
    const header = Buffer.from(png.buffer, png.byteOffset, 24);
    const image = { width: header.readUInt32BE(16), height: header.readUInt32BE(20), colorspace: RGBA, encodedImageString: png };
    await this.tell(chosen.epoch, [{ tag: 'confusion_matrix', image }]);
  }

  private async tell(step: number, values: readonly EventValue[]): Promise<void> {
    await this.write((await events()).summaryEvent(now(), step, values));
  }

  private async write(...records: Uint8Array[]): Promise<void> {
    try {
      await this.file?.appendFile(Buffer.concat(records));
    } catch (error) {
      throw writeError(this.at, error);
    }
  }
}

/**
 * Writes event files for TensorBoard into `folder`, default the run folder. A run that goes on begins a file that has all its epochs.
 * Throws at the beginning of a run ERR_FER_WRITE, or ERR_FER_ARGUMENT where there is no folder.
 */
export const tensorBoard = (folder?: string): Tracker => new TensorBoard(folder);
