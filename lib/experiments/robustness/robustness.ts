/**
 * Experiment 3: which faces a model still recognises when they are turned, lit otherwise or spoilt (the paper's Tables 3
 * and 4, Figure 6). The paper changes 21 images that are right; beside that protocol stand what it cannot show: how much
 * depends on the 21, all right images, and the whole split.
 */
import { MiniXception } from '../../model.js';
import { validationSplit } from '../../data/splits.js';
import { widthName } from '../../network/width.js';
import type { Cell, CellContext, Experiment } from '../experiment.js';
import { modelFileOf, modelName } from '../../pretrained.js';
import type { ModelFacts, RobustnessFound } from './found.js';
import { measureRobustness } from './measure.js';
import { pictures } from './pictures.js';
import { reportRobustness } from './report.js';
import { found } from './schema.js';
import { PAPER_SERIES, SEVERITY_SERIES, type RobustnessSeries } from './series.js';

/** A curve: a value of the option `models`, and the id of a series. The cell of the pictures has neither. */
interface CurveCell extends Cell {
  model: string;
  series: string;
}

const SERIES = [...PAPER_SERIES, ...SEVERITY_SERIES];
const PICTURES: Cell = { id: 'pictures', title: 'the grid of perturbed faces' };

const isCurve = (cell: Cell): cell is CurveCell => 'series' in cell;
const seriesOf = ({ series }: CurveCell): RobustnessSeries => SERIES.find(({ id }) => id === series)!;

export const robustness: Experiment<RobustnessFound, CurveCell | Cell> = {
  found,
  cells({ models }) {
    const curves = models.flatMap((model, i) =>
      SERIES.map(({ id, title }): CurveCell => ({ id: `${i + 1}-${id}`, title: `${modelName(model)}: ${title}`, model, series: id })),
    );
    return [...curves, PICTURES];
  },

  async runCell(cell, context) {
    if (!isCurve(cell)) return { pictures: await pictures(context) };
    const { data, options, threads, signal, onProgress } = context;
    using model = await MiniXception.load(modelFileOf(cell.model), context);
    try {
      const measurement = await measureRobustness(model, data, {
        split: validationSplit(data),
        series: [seriesOf(cell)],
        seed: options.seeds[0],
        draws: options.draws,
        threads,
        signal,
        onProgress: ({ done, settings, label }) => onProgress?.(done / settings, label),
      });
      return { model: factsOf(model, modelName(cell.model)), measurement };
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
  },

  estimate: (cell, context) => (isCurve(cell) ? estimateCurve(cell, context) : Promise.resolve(1)),

  collect: reportRobustness,
};

function factsOf(model: MiniXception, name: string): ModelFacts {
  const { inputSize, parameterCount: parameters, metadata } = model;
  return { name, width: widthName(model.width), inputSize, parameters, imported: metadata.source !== undefined };
}

/** From one setting of the series on a few images. */
async function estimateCurve(cell: CurveCell, context: CellContext): Promise<number> {
  const { data } = context;
  const split = validationSplit(data);
  const rows = data.splits.get(split)?.subarray(0, 64);
  if (!rows?.length) return 0;
  using model = await MiniXception.load(modelFileOf(cell.model), context);
  const series = seriesOf(cell);
  const few = { ...data, splits: new Map([[split, rows]]) };
  const { seconds } = await measureRobustness(model, few, {
    split,
    draws: 1,
    series: [{ ...series, settings: series.settings.slice(0, 1) }],
  });
  const images = data.splits.get(split)!.length * (series.settings.length + 1);
  return (seconds / (2 * rows.length)) * images;
}
