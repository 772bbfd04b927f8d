/** The experiments as functions: each runs what is missing in `options.folder` and gives its result. What runs them loads then. */
import type { LabelledImages } from '../data/data-set.js';
import { EXPERIMENTS } from './registry.js';
import type { Report } from '../report/result.js';
import type { RunOptions, RunOutcome } from './run/run.js';

/** Runs what is missing of the experiments of these names in `options.folder`, and gives the result of each. */
export const runExperiments = async (names: string[], data: LabelledImages, options: RunOptions): Promise<RunOutcome> =>
  (await import('./run/run.js')).runExperiments(names, data, options);

type Run = (data: LabelledImages, options: RunOptions) => Promise<RunOutcome>;

const running =
  (...names: string[]): Run =>
  (data, options) =>
    runExperiments(names, data, options);

/** Experiment 1: trains every width and compares them. */
export const widthExperiment: Run = running('width');

/** Experiment 2: trains every setting of a grid and compares them. */
export const hyperparametersExperiment: Run = running('hyperparameters');

/** Experiment 3: perturbs the validation images and counts which of them stay right. */
export const robustnessExperiment: Run = running('robustness');

/** Experiment 4: counts a data set's images and looks for leaks between its splits. */
export const dataExperiment: Run = running('data');

/** Explains one right and one wrong image a class by Grad-CAM and guided backpropagation. */
export const explainExperiment: Run = running('explain');

/** Every experiment. */
export const allExperiments: Run = running(...EXPERIMENTS.map(({ name }) => name));

/** Result of the cells in a folder, whoever ran them; nothing is run. */
export const collectExperiments = async (folder: string): Promise<Report> => (await import('./run/collect.js')).collectExperiments(folder);
