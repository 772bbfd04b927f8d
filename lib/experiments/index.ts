/** The experiments as functions: each runs what is missing in `options.folder` and gives its result. */
import type { LabelledImages } from '../data/data-set.js';
import { EXPERIMENTS } from './registry.js';
import { runExperiments, type RunOptions, type RunOutcome } from './run/run.js';

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
