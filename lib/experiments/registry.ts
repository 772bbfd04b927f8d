/** The registry of experiments, in the order in which a report shows them: a new one is its own file and one line here. */
import { data } from './data.js';
import type { Experiment } from './experiment.js';
import { hyperparameters } from './hyperparameters.js';
import { robustness } from './robustness.js';
import { width } from './width.js';

export const EXPERIMENTS = [data, width, hyperparameters, robustness] as unknown as readonly Experiment[];
