/**
 * Experiment 3: which faces a model still recognises when they are turned, lit otherwise or spoilt (the paper's Tables 3
 * and 4, Figure 6). The paper changes 21 images that are right; beside that protocol stand what it cannot show: how much
 * depends on the 21, all right images, and the whole split.
 */
import { faceGrid, greyPng } from '../../charts/face-grid.js';
import { syntheticFaces } from '../../data/synthetic.js';
import type { LabelledImages } from '../../data/data-set.js';
import { perturbBatch } from '../../perturb/index.js';
import type { ImageBatch } from '../../data/image.js';
import type { ExperimentResult, Picture } from '../../report/result.js';
import { widthName } from '../../network/width.js';
import type { Cell, CellContext, Experiment } from '../experiment.js';
import { loadModel, modelName } from '../models.js';
import { measureRobustness, PAPER_SERIES, SEVERITY_SERIES, type RobustnessMeasurement, type RobustnessSeries } from './measure.js';
import { reportRobustness } from './report.js';

export interface ModelFacts {
  name: string;
  width: string;
  inputSize: number;
  parameters: number;
  /** Imported from another project's file, so that its figures are not ours. */
  imported: boolean;
}

/** One curve of one model. */
export interface MeasuredCurve {
  model: ModelFacts;
  measurement: RobustnessMeasurement;
}

export type RobustnessFound = MeasuredCurve | { pictures: Picture[] };

const SERIES = [...PAPER_SERIES, ...SEVERITY_SERIES];
const PICTURES = 'pictures';

/** Where the paper takes its images from. */
export const splitOf = (data: LabelledImages): string => (data.splits.has('PublicTest') ? 'PublicTest' : 'Test');

const seriesOf = (cell: Cell): RobustnessSeries => SERIES.find(({ id }) => cell.id.endsWith(`-${id}`) && cell.names?.[0] === id)!;

export const robustness: Experiment<RobustnessFound> = {
  name: 'robustness',

  cells({ models }) {
    const curves = models.flatMap((model, i) =>
      SERIES.map(({ id, title }): Cell => ({ id: `${i + 1}-${id}`, title: `${modelName(model)}: ${title}`, names: [id] })),
    );
    return [...curves, { id: PICTURES, title: 'the grid of perturbed faces' }];
  },

  async runCell(cell, context) {
    const { data, options, threads, signal, onProgress } = context;
    if (cell.id === PICTURES) return { pictures: await pictures(context) };
    const file = options.models[Number(cell.id.split('-')[0]) - 1];
    using model = await loadModel(file, context);
    try {
      const measurement = await measureRobustness(model, data, {
        split: splitOf(data),
        series: [seriesOf(cell)],
        seed: options.seeds[0],
        draws: options.draws,
        threads,
        signal,
        onProgress: ({ done, settings, label }) => onProgress?.(done / settings, label),
      });
      const { inputSize, parameterCount: parameters } = model;
      return {
        model: {
          name: modelName(file),
          width: widthName(model.width),
          inputSize,
          parameters,
          imported: model.metadata.source !== undefined,
        },
        measurement,
      };
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
  },

  async estimate(cell, context) {
    if (cell.id === PICTURES) return 1;
    const { data, options } = context;
    const split = splitOf(data);
    const rows = data.splits.get(split)?.subarray(0, 64);
    if (!rows?.length) return 0;
    using model = await loadModel(options.models[Number(cell.id.split('-')[0]) - 1], context);
    const series = seriesOf(cell);
    const few = { ...data, splits: new Map([[split, rows]]) };
    const { seconds } = await measureRobustness(model, few, {
      split,
      draws: 1,
      series: [{ ...series, settings: series.settings.slice(0, 1) }],
    });
    const images = data.splits.get(split)!.length * (series.settings.length + 1);
    return (seconds / (2 * rows.length)) * images;
  },

  collect: (results, options) => reportRobustness(results, options) satisfies Partial<ExperimentResult>,
};

/** Figure 6: a face a class at each of the paper's settings. */
async function pictures(context: CellContext): Promise<Picture[]> {
  const { options } = context;
  const { data, rows, whose } = options.images === 'synthetic' ? drawnFaces(context.data.size) : await rightFaces(context);
  const { size } = data;
  const pixels = size * size;
  const images = new Uint8Array(rows.length * pixels);
  rows.forEach((row, i) => images.set(data.images.subarray(row * pixels, (row + 1) * pixels), i * pixels));
  return Promise.all(
    PAPER_SERIES.map(async ({ id, type, settings }): Promise<Picture> => {
      const batch = { images, count: rows.length, width: size, height: size };
      const columns = [batch, ...(await Promise.all(settings.map(({ perturbation }) => perturbBatch(batch, perturbation))))];
      const face = (column: ImageBatch, i: number): Promise<Uint8Array> =>
        greyPng(column.images.subarray(i * pixels, (i + 1) * pixels), size);
      const png = await faceGrid({
        columns: ['as it is', ...settings.map(({ label }) => label)],
        rows: await Promise.all(
          rows.map(async (row, i) => ({
            name: data.classes[data.labels[row]],
            faces: await Promise.all(columns.map((column) => face(column, i))),
          })),
        ),
      });
      const labels = settings.map(({ label }) => label).join(', ');
      return {
        id: `faces-${id}`,
        caption: `${type === 'rotation' ? 'Rotation' : 'Brightness'} at the paper's settings (its Figure 6), on ${whose}.`,
        alt: `A grid of faces, one expression a row (${rows.map((row) => data.classes[data.labels[row]]).join(', ')}); columns: as it is, ${labels}.`,
        png: Buffer.from(png).toString('base64'),
      };
    }),
  );
}

interface Faces {
  data: LabelledImages;
  /** One a class. */
  rows: number[];
  whose: string;
}

function drawnFaces(size: number): Faces {
  const data = syntheticFaces({ size });
  const rows = data.splits.get('PublicTest')!;
  return { data, rows: data.classes.map((_, c) => rows.find((row) => data.labels[row] === c)!), whose: 'synthetic faces' };
}

/** The first face of each class that the first model's protocol draws. */
async function rightFaces({ data, options, ...place }: CellContext): Promise<Faces> {
  using model = await loadModel(options.models[0], place);
  const split = splitOf(data);
  const { protocolRows } = await measureRobustness(model, data, { split, series: [], draws: 1, perClass: 1, seed: options.seeds[0] });
  return { data, rows: protocolRows, whose: `images of ${split} that ${modelName(options.models[0])} recognises` };
}
