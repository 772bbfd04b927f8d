/** Experiment 1: what width costs and brings (the paper's Table 1 and learning curves). */
import { thousands } from '../plain-text.js';
import type { Comparison, ExperimentResult } from '../report/result.js';
import { resolveConfig } from '../training/config.js';
import { widthName, WIDTHS } from '../network/width.js';
import type { Experiment } from './experiment.js';
import { epochsFor } from './options.js';
import { paperAccuracy, PAPER_EPOCHS, PAPER_MACHINE, PAPER_WIDTHS } from './paper/figures.js';
import { training } from './training/cell.js';
import type { Trained, TrainingCell } from './training/found.js';
import { figureOf, groupsOf, secondsAnEpoch, type Group, type TrainedCell } from './training/groups.js';
import { trainedResult, whyFigure } from './training/report.js';
import { RESULT_COLUMNS, resultRow } from './training/tables.js';

/** "narrow", or "8-8_16-32" for a width without a name. */
const slug = (width: string): string => width.replaceAll(',', '-').replaceAll(':', '_');
const groupName = ({ found: { config } }: TrainedCell): string => `${config.width}, ${config.preset}`;

export const width: Experiment<Trained, TrainingCell> = {
  cells(options) {
    const { widths, presets, seeds, inputSize, precision } = options;
    return presets.flatMap((preset) =>
      widths.flatMap((spec) =>
        seeds.map((seed): TrainingCell => {
          const config = resolveConfig({ preset, width: spec, inputSize, precision, seed });
          const names = [`${slug(spec)}-${preset}`, slug(spec)];
          config.epochs = epochsFor(options, names, config.epochs);
          return { id: `${names[0]}-${seed}`, title: `${spec}, preset ${preset}, seed ${seed}, ${config.epochs} epochs`, config, names };
        }),
      ),
    );
  },
  ...training,

  collect(results) {
    const groups = groupsOf(results, groupName);
    return trainedResult(results, {
      title: 'Width',
      summary:
        'The same network in different widths: what more channels bring in accuracy, and what they cost in time, parameters and memory. ' +
        'Every network is trained on Training and reported on the test split once, at the end.',
      groups,
      fullEpochs,
      table: resultTable(results),
      comparisons: comparisons(groups),
      paper: paperEstimates(groups),
    });
  },
};

const fullEpochs = ({ cells }: Group): number => resolveConfig({ preset: cells[0].found.config.preset }).epochs;

function resultTable(results: readonly TrainedCell[]): ExperimentResult['tables'][number] {
  return {
    id: 'width',
    caption: "Widths compared (the paper's Table 1).",
    columns: [
      { key: 'width', title: 'network', format: 'text' },
      { key: 'preset', title: 'preset', format: 'text' },
      { key: 'seed', title: 'seed', format: 'count' },
      ...RESULT_COLUMNS,
      { key: 'parameters', title: 'parameters', format: 'count' },
      { key: 'multiplyAdds', title: 'multiply-adds an image', format: 'millions' },
      { key: 'memoryBytes', title: 'memory in training', format: 'mebibytes' },
    ],
    rows: results.map((cell) => {
      const { config, parameters, multiplyAdds, memoryBytes } = cell.found;
      return { width: config.width, preset: config.preset, seed: config.seed, ...resultRow(cell), parameters, multiplyAdds, memoryBytes };
    }),
  };
}

type PaperWidth = keyof typeof PAPER_WIDTHS;
const PAPER_NAMES = Object.keys(PAPER_WIDTHS) as PaperWidth[];
const ofWidth = (groups: readonly Group[], name: PaperWidth): Group[] =>
  groups.filter(({ cells }) => cells[0].found.config.width === widthName(WIDTHS[name]));

function comparisons(groups: readonly Group[]): Comparison[] {
  return PAPER_NAMES.flatMap((name) => {
    const paper = PAPER_WIDTHS[name];
    const own: (Group | undefined)[] = ofWidth(groups, name);
    if (own.length === 0) own.push(undefined);
    return own.flatMap((group): Comparison[] => {
      const preset = group?.cells[0].found.config.preset;
      const place = { place: 'Table 1', format: 'percent' as const };
      const id = `width-${name}${preset ? `-${preset}` : ''}`;
      const label = `${name}${preset ? `, preset ${preset}` : ''}`;
      const share = (key: 'accuracy' | 'macroPrecision' | 'macroRecall', words: string): Comparison => {
        const figure = key === 'accuracy' ? paperAccuracy(paper[key]) : { value: paper[key] };
        const ours = group && figureOf(group, ({ found }) => found.evaluation?.[key], key === 'accuracy');
        return {
          ...place,
          id: `${id}-${key}`,
          name: `${words}, ${label}`,
          paper: figure,
          ours,
          why: whyFigure(group, figure, ours, PAPER_EPOCHS),
        };
      };
      const seconds = group && figureOf(group, secondsAnEpoch);
      return [
        share('accuracy', 'Accuracy'),
        share('macroPrecision', 'Macro precision'),
        share('macroRecall', 'Macro recall'),
        {
          place: 'Table 1',
          format: 'seconds',
          id: `${id}-seconds`,
          name: `Seconds an epoch, ${label}`,
          paper: { value: paper.secondsAnEpoch },
          ours: seconds,
          why: group && seconds ? whySeconds(group) : 'Not run here.',
        },
      ];
    });
  });
}

function whySeconds({ cells }: Group): string {
  const { environment, data } = cells[0];
  const place = environment?.device ?? 'a machine that the reused run does not record';
  const images = data.splits.Training;
  return `Another machine: ${PAPER_MACHINE} there, ${place} here; the median epoch over ${thousands(images)} training images.`;
}

function paperEstimates(groups: readonly Group[]) {
  return PAPER_NAMES.flatMap((name) =>
    ofWidth(groups, name).map((group) => {
      const { value, interval } = paperAccuracy(PAPER_WIDTHS[name].accuracy);
      return { name: group.name, source: 'paper', value, interval };
    }),
  );
}
