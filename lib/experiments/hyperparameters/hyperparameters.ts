/** Experiment 2: batch size, learning rate and length (the paper's Table 2), or any other grid. */
import type { Comparison, Table } from '../../report/result.js';
import { resolveConfig } from '../../training/config.js';
import type { Experiment } from '../experiment.js';
import { epochsFor, type ExperimentOptions } from '../options.js';
import { paperAccuracy, PAPER_SETTINGS, type PaperSetting } from '../paper/figures.js';
import { training } from '../training/cell.js';
import type { Trained, TrainingCell } from '../training/found.js';
import { accuracyOf, figureOf, groupsOf, type Group, type TrainedCell } from '../training/groups.js';
import { trainedResult, whyFigure } from '../training/report.js';
import { RESULT_COLUMNS, resultRow } from '../training/tables.js';

const pointOf = ({ cell }: TrainedCell): string => cell.names[0];

export const hyperparameters: Experiment<Trained, TrainingCell> = {
  cells(options) {
    const { inputSize, precision } = options;
    return options.grid.flatMap((point) =>
      options.seeds.map((seed): TrainingCell => {
        const config = resolveConfig({ preset: 'paper', inputSize, precision, ...point.config, seed });
        config.epochs = epochsFor(options, [point.name], config.epochs);
        const { batchSize, learningRate, epochs } = config;
        const title = `${point.name}: ${config.width}, batch ${batchSize}, learning rate ${learningRate}, ${epochs} epochs, seed ${seed}`;
        return { id: `${point.name}-${seed}`, title, config, names: [point.name] };
      }),
    );
  },
  ...training,

  collect(results, options) {
    const groups = groupsOf(results, pointOf);
    const settings = PAPER_SETTINGS.filter(({ name }) => isPaperPoint(options, name));
    return trainedResult(results, {
      title: 'Hyperparameters',
      summary:
        'Batch size, learning rate and number of epochs, one training a setting and seed. The paper compares its four settings, C1 to C4, ' +
        'by their accuracy on PrivateTest; the validation accuracy beside ours is what a choice should rest on.',
      groups,
      fullEpochs: ({ name }) => fullEpochs(options, name),
      table: resultTable(results, options),
      comparisons: settings.map((setting) => comparison(setting, groups)),
      paper: settings.map(({ name, accuracy }) => ({ ...paperAccuracy(accuracy), name, source: 'paper' })),
    });
  },
};

function comparison(setting: PaperSetting, groups: readonly Group[]): Comparison {
  const group = groups.find(({ name }) => name === setting.name);
  const ours = group && figureOf(group, accuracyOf, true);
  const paper = paperAccuracy(setting.accuracy);
  const name = `Accuracy, ${setting.name} (batch ${setting.batchSize}, learning rate ${setting.learningRate}, ${setting.epochs} epochs)`;
  const why = whyFigure(group, paper, ours, setting.epochs);
  return { id: `hyperparameters-${setting.name}`, place: 'Table 2', name, format: 'percent', paper, ours, why };
}

function resultTable(results: readonly TrainedCell[], options: ExperimentOptions): Table {
  return {
    id: 'hyperparameters',
    caption: "Settings compared (the paper's Table 2).",
    columns: [
      { key: 'setting', title: 'setting', format: 'text' },
      { key: 'network', title: 'network', format: 'text' },
      { key: 'batchSize', title: 'batch', format: 'count' },
      { key: 'learningRate', title: 'learning rate', format: 'number' },
      { key: 'planned', title: 'epochs in full', format: 'count' },
      { key: 'seed', title: 'seed', format: 'count' },
      ...RESULT_COLUMNS,
    ],
    rows: results.map((cell) => {
      const { width: network, batchSize, learningRate, seed } = cell.found.config;
      const setting = pointOf(cell);
      return { setting, network, batchSize, learningRate, planned: fullEpochs(options, setting), seed, ...resultRow(cell) };
    }),
  };
}

/** Epochs that a point has before they are cut short. */
function fullEpochs(options: ExperimentOptions, name: string): number {
  const point = options.grid.find((candidate) => candidate.name === name);
  return resolveConfig({ preset: 'paper', ...point?.config }).epochs;
}

/** Whether the point is the paper's in more than its name. */
function isPaperPoint(options: ExperimentOptions, name: string): boolean {
  const setting = PAPER_SETTINGS.find((candidate) => candidate.name === name);
  const point = options.grid.find((candidate) => candidate.name === name);
  if (!setting || !point) return false;
  const { width, batchSize, learningRate, epochs, preset } = resolveConfig({ preset: 'paper', ...point.config });
  return (
    width === 'wide' &&
    preset === 'paper' &&
    batchSize === setting.batchSize &&
    learningRate === setting.learningRate &&
    epochs === setting.epochs
  );
}
