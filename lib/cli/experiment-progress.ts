/** An experiment's progress on standard error: a bar on a terminal, a line every few seconds and every cell elsewhere. */
import type cliProgress from 'cli-progress';
import type { ExperimentProgress } from '../experiments/run/work.js';
import { note } from './output.js';
import { duration } from '../plain-text.js';
import { progressBars } from './progress.js';

/** Seconds between plain lines. */
const PLAIN_INTERVAL = 30;

export interface ExperimentView {
  progress(now: ExperimentProgress): void;
  /** A cell ended; 0 seconds: it was taken over from a finished run. */
  cell(id: string, seconds: number): void;
  /** Leaves the terminal ready for other output. */
  end(): void;
}

const cellLine = (id: string, seconds: number): string => `${id}  ${seconds === 0 ? 'taken over from a finished run' : duration(seconds)}`;

export function experimentProgress(stream: NodeJS.WriteStream = process.stderr): ExperimentView {
  return stream.isTTY ? bar(stream) : plainLines();
}

function plainLines(): ExperimentView {
  let told = performance.now();
  return {
    progress({ cell, text, done, total, secondsLeft }) {
      if (performance.now() - told < PLAIN_INTERVAL * 1000) return;
      told = performance.now();
      note(`${done} of ${total} cells  ${cell}  ${text}  ${duration(secondsLeft)} left`);
    },
    cell(id, seconds) {
      told = performance.now();
      note(cellLine(id, seconds));
    },
    end() {},
  };
}

function bar(stream: NodeJS.WriteStream): ExperimentView {
  const multi = progressBars(stream, 20, '{bar} {value}/{total} cells  {cell}  {text}  {left} left');
  let line: cliProgress.SingleBar | undefined;
  return {
    progress({ cell, text, done, total, secondsLeft }) {
      const payload = { cell, text, left: duration(secondsLeft) };
      line ??= multi.create(total, 0, payload);
      line.update(done, payload);
    },
    cell(id, seconds) {
      multi.log(`${cellLine(id, seconds)}\n`);
    },
    end() {
      multi.stop();
    },
  };
}
