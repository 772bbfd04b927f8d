/** Figure 6: a face a class at each of the paper's settings, one picture a series. */
import { faceGrid, greyPng } from '../../charts/face-grid.js';
import type { LabelledImages } from '../../data/data-set.js';
import { batchOf } from '../../data/rows.js';
import { rowsOf, validationSplit } from '../../data/splits.js';
import type { ImageBatch } from '../../data/image.js';
import { syntheticFaces } from '../../data/synthetic.js';
import { perturbBatch } from '../../perturb/index.js';
import type { Picture } from '../../report/result.js';
import type { CellContext } from '../experiment.js';
import { MiniXception } from '../../model.js';
import { modelFileOf, modelName } from '../../pretrained.js';
import { measureRobustness } from './measure.js';
import { PAPER_SERIES, type PaperSeries } from './series.js';

interface Faces {
  data: LabelledImages;
  /** One a class. */
  rows: number[];
  whose: string;
}

export async function pictures(context: CellContext): Promise<Picture[]> {
  const faces = context.options.images === 'synthetic' ? drawnFaces(context.data.size) : await rightFaces(context);
  return Promise.all(PAPER_SERIES.map((series) => picture(series, faces)));
}

function drawnFaces(size: number): Faces {
  const data = syntheticFaces({ size });
  const rows = rowsOf(data, 'PublicTest');
  return { data, rows: data.classes.map((_, c) => rows.find((row) => data.labels[row] === c)!), whose: 'synthetic faces' };
}

/** The first face of each class that the first model's protocol draws. */
async function rightFaces({ data, options, ...place }: CellContext): Promise<Faces> {
  using model = await MiniXception.load(modelFileOf(options.models[0]), place);
  const split = validationSplit(data);
  const { protocolRows } = await measureRobustness(model, data, { split, series: [], draws: 1, perClass: 1, seed: options.seeds[0] });
  return { data, rows: protocolRows, whose: `images of ${split} that ${modelName(options.models[0])} recognises` };
}

async function picture({ id, name, settings }: PaperSeries, { data, rows, whose }: Faces): Promise<Picture> {
  const { size } = data;
  const pixels = size * size;
  const batch = batchOf(data, rows);
  const columns = [batch, ...(await Promise.all(settings.map(({ perturbation }) => perturbBatch(batch, perturbation))))];
  const face = (column: ImageBatch, i: number): Promise<Uint8Array> => greyPng(column.images.subarray(i * pixels, (i + 1) * pixels), size);
  const expressions = rows.map((row) => data.classes[data.labels[row]]);
  const labels = settings.map(({ label }) => label);
  const png = await faceGrid({
    columns: ['as it is', ...labels],
    rows: await Promise.all(
      expressions.map(async (expression, i) => ({ name: expression, faces: await Promise.all(columns.map((column) => face(column, i))) })),
    ),
  });
  return {
    id: `faces-${id}`,
    caption: `${name} at the paper's settings (its Figure 6), on ${whose}.`,
    alt: `A grid of faces, one expression a row (${expressions.join(', ')}); columns: as it is, ${labels.join(', ')}.`,
    png: Buffer.from(png).toString('base64'),
  };
}
