/** Training's progress on standard error: a bar on a terminal, a line every few seconds and every epoch elsewhere. */
import cliProgress from 'cli-progress';
import { duration, percent, thousands } from '../plain-text.js';
import type { TrainingProgress, TrainingResult } from '../training/fit.js';
import type { TrainingConfig } from '../training/options.js';
import type { EpochRow } from '../metrics/epoch.js';
import { note, print } from './output.js';

/** Seconds between plain lines within an epoch, and between lines of JSON. */
const PLAIN_INTERVAL = 30;
const JSON_INTERVAL = 1;

/** What a run begins with, for who reads it by a program. */
export interface Beginning {
  config: TrainingConfig;
  runFolder: string;
  data: string;
  parameters: number;
  device: string;
}

export interface ProgressView {
  begin?(facts: Beginning): void;
  progress(now: TrainingProgress): void;
  epoch(row: EpochRow): void;
  /** Leaves the terminal ready for other output. */
  end(): void;
  /** How it ended, where the view says that too. */
  result?(result: TrainingResult): void;
}

/** The view that suits standard error. */
export function progressView(epochs: number, stream: NodeJS.WriteStream = process.stderr): ProgressView {
  return stream.isTTY ? bar(epochs, stream) : plainLines(epochs);
}

/** One finished epoch in one line. */
export function epochLine(row: EpochRow, epochs: number): string {
  const place = `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}`;
  const figures = (loss: number, accuracy: number): string => `loss ${loss.toFixed(4)} accuracy ${percent(accuracy).padStart(7)}`;
  return (
    `${place}  training ${figures(row.trainLoss, row.trainAccuracy)}  validation ${figures(row.validationLoss, row.validationAccuracy)}  ` +
    `${thousands(row.imagesPerSecond)} img/s  ${duration(row.seconds)}`
  );
}

/** One JSON object a line on standard output: events "begin", "progress", "epoch" and "end". */
export function jsonLines(): ProgressView {
  const line = (event: string, what: object): void => print(JSON.stringify({ event, time: new Date().toISOString(), ...what }));
  let told = -Infinity;
  return {
    begin: (facts) => line('begin', facts),
    progress(now) {
      if (performance.now() - told < JSON_INTERVAL * 1000) return;
      told = performance.now();
      line('progress', now);
    },
    epoch: (row) => line('epoch', row),
    end() {},
    result: ({ aborted, chosen, evaluatedSplit: split, evaluation, runFolder, notes }) =>
      line('end', { aborted, chosen, split, evaluation, runFolder, notes }),
  };
}

function plainLines(epochs: number): ProgressView {
  let told = performance.now();
  return {
    progress(now) {
      if (performance.now() - told < PLAIN_INTERVAL * 1000) return;
      told = performance.now();
      note(
        `epoch ${now.epoch}/${epochs}  step ${now.step}/${now.steps}  loss ${now.loss.toFixed(4)} accuracy ${percent(now.accuracy)}  ` +
          `${thousands(now.imagesPerSecond)} img/s  ${duration(now.secondsLeft)} left`,
      );
    },
    epoch(row) {
      told = performance.now();
      note(epochLine(row, epochs));
    },
    end() {},
  };
}

/** Bars that leave nothing behind, with room for lines above them. */
export function progressBars(stream: NodeJS.WriteStream, barsize: number, format: string): cliProgress.MultiBar {
  const options = { format, barsize, stream, hideCursor: true, clearOnComplete: true, gracefulExit: false };
  return new cliProgress.MultiBar(options, cliProgress.Presets.shades_classic);
}

function bar(epochs: number, stream: NodeJS.WriteStream): ProgressView {
  const multi = progressBars(
    stream,
    24,
    'epoch {epoch}/{epochs} {bar} {value}/{total}  loss {loss}  accuracy {accuracy}  {rate} img/s  {left} left',
  );
  let line: cliProgress.SingleBar | undefined;
  return {
    progress(now) {
      const payload = {
        epoch: now.epoch,
        epochs,
        loss: now.loss.toFixed(4),
        accuracy: percent(now.accuracy),
        rate: thousands(now.imagesPerSecond),
        left: duration(now.secondsLeft),
      };
      if (line) line.setTotal(now.steps);
      else line = multi.create(now.steps, 0, payload);
      line.update(now.step, payload);
    },
    epoch(row) {
      multi.log(`${epochLine(row, epochs)}\n`);
      multi.update();
    },
    end() {
      multi.stop();
    },
  };
}
