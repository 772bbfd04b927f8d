/** The experiments as functions: each runs what is missing in `options.folder` and gives its result. What runs them loads then. */
import type { LabelledImages } from '../data/data-set.js';
import { EXPERIMENTS } from './registry.js';
import type { Report } from '../report/result.js';
import type { RunOptions, RunOutcome } from './run/run.js';

const runExperiments = async (names: string[], data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  (await import('./run/run.js')).runExperiments(names, data, options);

/** Experiment 1: trains every width and compares them. */
export const widthExperiment = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> => runExperiments(['width'], data, options);

/** Experiment 2: trains every setting of a grid and compares them. */
export const hyperparametersExperiment = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  runExperiments(['hyperparameters'], data, options);

/** Experiment 3: perturbs the validation images and counts which of them stay right. */
export const robustnessExperiment = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  runExperiments(['robustness'], data, options);

/** Experiment 4: counts a data set's images and looks for leaks between its splits. */
export const dataExperiment = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> => runExperiments(['data'], data, options);

/** Explains one right and one wrong image a class by Grad-CAM and guided backpropagation. */
export const explainExperiment = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  runExperiments(['explain'], data, options);

/** Every experiment, in one folder. */
export const allExperiments = (data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  runExperiments(
    EXPERIMENTS.map(({ name }) => name),
    data,
    options,
  );

/** Result of the cells in a folder, whoever ran them; nothing is run. */
export const collectExperiments = async (folder: string): Promise<Report> => (await import('./run/run.js')).collectExperiments(folder);
