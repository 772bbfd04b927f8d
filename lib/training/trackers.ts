/** The trackers of a run, told one after another. */
import { FerError } from '../errors.js';
import type { EpochRow } from '../metrics/epoch.js';
import { warnOnce } from '../warning.js';
import type { RunEnd, RunFacts, Tracker } from './fit.js';

/** All trackers of a run. */
export class Tracking {
  private constructor(private readonly trackers: readonly Tracker[]) {}

  /** @throws what one of them throws, once those before it have heard that the run failed. */
  static async begin(trackers: readonly Tracker[], facts: RunFacts): Promise<Tracking> {
    const begun: Tracker[] = [];
    for (const tracker of trackers) {
      try {
        await tracker.begin(facts);
      } catch (error) {
        await new Tracking(begun).end({ status: 'failed', error });
        throw error;
      }
      begun.push(tracker);
    }
    return new Tracking(begun);
  }

  epoch(row: EpochRow): Promise<void> {
    return this.each((tracker) => tracker.epoch(row));
  }

  end(end: RunEnd): Promise<void> {
    return this.each((tracker) => tracker.end(end));
  }

  /** Hours of training do not end because nobody could be told of them. */
  private async each(tell: (tracker: Tracker) => Promise<void>): Promise<void> {
    for (const tracker of this.trackers) {
      try {
        await tell(tracker);
      } catch (error) {
        const { message } = error as Error;
        warnOnce(`${tracker.name} has not all of this run: ${error instanceof FerError ? message : `it failed: ${message}`}`);
      }
    }
  }
}
