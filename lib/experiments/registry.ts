/**
 * The registry of experiments, in the order in which a report shows them: a new one is its own file and one entry here.
 * Help, the command line and docs/experiments.md read it. Their code loads when it is needed, so that help and usage errors come at once.
 */
import { invalidArgument } from '../errors.js';
import type { Experiment } from './experiment.js';
import type { OptionName } from './options.js';

export interface RegisteredExperiment {
  name: string;
  /** One line for help and docs. */
  summary: string;
  /** What one of its cells is, after "a cell is". */
  cell: string;
  /** Options that it reads. */
  options: readonly OptionName[];
  load(): Promise<Experiment>;
}

export const EXPERIMENTS: readonly RegisteredExperiment[] = [
  {
    name: 'data',
    summary: 'class distribution and images that leak between splits (Figure 5)',
    cell: 'the audit',
    options: [],
    load: async () => (await import('./data.js')).data,
  },
  {
    name: 'width',
    summary: 'narrow against wide, and any other widths (Table 1)',
    cell: 'a width, a preset and a seed',
    options: ['widths', 'presets', 'seeds', 'epochs', 'epochsScale', 'inputSize', 'precision'],
    load: async () => (await import('./width.js')).width,
  },
  {
    name: 'hyperparameters',
    summary: "the paper's C1 to C4, or any grid of settings (Table 2)",
    cell: 'a setting and a seed',
    options: ['grid', 'seeds', 'epochs', 'epochsScale', 'inputSize', 'precision'],
    load: async () => (await import('./hyperparameters/hyperparameters.js')).hyperparameters,
  },
  {
    name: 'robustness',
    summary: 'rotation, brightness and every other perturbation (Tables 3 and 4, Figure 6)',
    cell: 'a model and a perturbation',
    options: ['models', 'draws', 'images', 'seeds'],
    load: async () => (await import('./robustness/robustness.js')).robustness,
  },
  {
    name: 'explain',
    summary: 'what the network looks at, for a right and a wrong image a class',
    cell: 'a model',
    options: ['models', 'images'],
    load: async () => (await import('./explain.js')).explain,
  },
];

/** @throws {FerError} ERR_FER_ARGUMENT for a name that is not in the registry. */
export async function loadExperiment(name: string): Promise<Experiment> {
  const registered = EXPERIMENTS.find((candidate) => candidate.name === name);
  if (!registered) invalidArgument('experiment', EXPERIMENTS.map((candidate) => candidate.name).join(', '), name);
  return registered.load();
}
