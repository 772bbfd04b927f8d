/** The cell of every experiment that trains: one configuration, one seed, from initial weights to the test figures. */
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../../errors.js';
import { percent } from '../../plain-text.js';
import type { EpochRow } from '../../metrics/epoch.js';
import { RunFolder } from '../../training/run-folder.js';
import type { CellContext, Experiment } from '../experiment.js';
import { adoptRun } from './adopt.js';
import type { Trained, TrainingCell } from './found.js';
import { trained } from './schema.js';
import { estimateTraining, measureStep, newModel } from './timing.js';

/** What an experiment that trains does with each of its cells. */
export const training: Pick<Experiment<Trained, TrainingCell>, 'found' | 'runCell' | 'estimate' | 'adopt'> = {
  found: trained,
  runCell: trainCell,
  estimate: estimateTraining,
  adopt: adoptRun,
};

/** Trains, or goes on with what the cell's folder holds. Undefined when the signal stopped it. */
async function trainCell({ config }: TrainingCell, context: CellContext): Promise<Trained | undefined> {
  const { data, signal, onProgress } = context;
  const runFolder = path.join(context.folder, 'run');
  const resume = await exists(path.join(runFolder, 'last.safetensors'));
  // A run that was killed before its first checkpoint left nothing to go on with.
  if (!resume) await rm(runFolder, { recursive: true, force: true });
  const { parameters, multiplyAdds, memoryBytes } = await measureStep(config, context);
  // A run goes on with the threads that it began with, unless others are asked for: see `Progress`.
  const begun = resume && context.threads === 0 ? (await RunFolder.read(runFolder)).progress.threads : undefined;
  using model = newModel(config, { ...context, threads: begun ?? context.threads });
  const { width: _width, inputSize: _inputSize, precision: _precision, ...options } = config;
  const rows: EpochRow[] = [];
  try {
    const result = await model.fit(data, {
      ...(resume ? { resume } : options),
      runFolder,
      signal,
      onEpoch: (row) => rows.push(row),
      onProgress: ({ epoch, epochs, step, steps, accuracy }) =>
        onProgress?.((epoch - 1 + step / steps) / epochs, `epoch ${epoch}/${epochs}, training accuracy ${percent(accuracy)}`),
    });
    if (result.aborted) return undefined;
    const { evaluation, evaluatedSplit, chosen } = result;
    return { config, rows: result.rows, chosen, evaluation, evaluatedSplit, parameters, multiplyAdds, memoryBytes };
  } catch (error) {
    // For a setting under comparison that is a finding, and the other cells go on.
    if (!(error instanceof FerError && error.code === 'ERR_FER_DIVERGED')) throw error;
    const diverged = error.message.split(';')[0];
    return { config, rows, chosen: { epoch: 0, accuracy: 0 }, diverged, parameters, multiplyAdds, memoryBytes };
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
