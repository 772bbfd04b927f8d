/** What a model looks at: Grad-CAM and guided backpropagation for one image that is right and one that is wrong, a class. */
import { faceGrid, greyPng } from '../charts/face-grid.js';
import type { GreyPicture } from '../data/image.js';
import { imagesOf } from '../data/rows.js';
import { syntheticFaces } from '../data/synthetic.js';
import { rowsOf, validationSplit } from '../data/splits.js';
import { drawExplanation } from '../explain/draw.js';
import { MiniXception } from '../model.js';
import { underClassesOf } from '../network/network.js';
import { predictionsOf } from '../predict/prediction.js';
import type { Picture } from '../report/result.js';
import { list, number, object, text, whole, yes } from '../schema.js';
import { picture } from '../report/schema.js';
import { dataStatement } from './data-facts.js';
import type { Cell, CellContext, Experiment } from './experiment.js';
import { modelFileOf, modelName } from '../pretrained.js';

/** One image of a class; absent where the split has none of its kind. */
interface Explained {
  class: string;
  right: boolean;
  /** In the data set. */
  row: number;
  predicted: string;
  probability: number;
}

interface Found {
  model: string;
  split: string;
  /** Whether the images are drawn instead of the data set's. */
  drawn: boolean;
  images: Explained[];
  picture: Picture;
}

interface ModelCell extends Cell {
  /** A value of the option `models`. */
  model: string;
}

const METHODS = ['grad-cam', 'guided-backprop'] as const;
const SIDE = 80;

const found = object<Found>({
  model: text(),
  split: text(),
  drawn: yes(),
  images: list(object<Explained>({ class: text(), right: yes(), row: whole(), predicted: text(), probability: number(0, 1) })),
  picture,
});

export const explain: Experiment<Found, ModelCell> = {
  found,
  cells: ({ models }) =>
    models.map((model, i) => ({ id: `${i + 1}-${modelName(model)}`, title: `what ${modelName(model)} looks at`, model })),
  estimate: () => Promise.resolve(5),

  async runCell(cell, context) {
    using model = await MiniXception.load(modelFileOf(cell.model), context);
    return await explained(model, modelName(cell.model), context);
  },

  collect(results) {
    const found = results.map((result) => result.found);
    const named = found.length > 1;
    return {
      title: 'What the network looks at',
      summary:
        'The paper wishes for interpretability. For every class, the first image of the split that is recognised and the first that is not; ' +
        'beside each, Grad-CAM (which places speak for the predicted class: violet little, yellow most) and guided backpropagation ' +
        '(which pixels: red where a brighter pixel would speak for it, blue where against it).',
      statements: [
        dataStatement(results[0].data),
        ...(found.some(({ drawn }) => drawn)
          ? ['The faces shown are synthetic, so that no photograph need be published: they show the method, not how the model sees people.']
          : []),
      ],
      comparisons: [],
      tables: found.map(({ model, split, images }) => ({
        id: named ? `explained-${model}` : 'explained',
        caption: `The images shown${named ? ` for ${model}` : ''}, of ${split}: what they are and what the network says.`,
        columns: [
          { key: 'class', title: 'class', format: 'text' },
          { key: 'kind', title: '', format: 'text' },
          { key: 'predicted', title: 'predicted', format: 'text' },
          { key: 'probability', title: 'probability', format: 'percent' },
          { key: 'row', title: 'row of the data set', format: 'count' },
        ],
        rows: images.map(({ right, ...image }) => ({ ...image, kind: right ? 'right' : 'wrong' })),
      })),
      charts: [],
      pictures: found.map(({ picture }) => picture),
      seeds: [],
      openPoints: [],
    };
  },
};

async function explained(model: MiniXception, name: string, { data: given, options }: CellContext): Promise<Found> {
  const drawn = options.images === 'synthetic';
  const data = underClassesOf(model, drawn ? syntheticFaces({ size: given.size }) : given);
  const split = validationSplit(data);
  const rows = rowsOf(data, split);
  const predictions = predictionsOf(await model.logitsOf(data, split), model.classes);
  const images: Explained[] = [];
  const gridRows = [];
  for (const [label, className] of data.classes.entries()) {
    const faces: (Uint8Array | undefined)[] = [];
    for (const right of [true, false]) {
      const at = rows.findIndex((row, i) => data.labels[row] === label && (predictions[i].index === label) === right);
      if (at < 0) {
        faces.push(undefined, ...METHODS.map(() => undefined));
        continue;
      }
      const { label: predicted, probability } = predictions[at];
      images.push({ class: className, right, row: rows[at], predicted, probability });
      faces.push(...(await faceAndExplanations(model, { pixels: imagesOf(data, [rows[at]]), width: data.size, height: data.size })));
    }
    gridRows.push({ name: className, faces });
  }
  const png = await faceGrid({ columns: ['right', 'Grad-CAM', 'guided', 'wrong', 'Grad-CAM', 'guided'], rows: gridRows, side: SIDE });
  return { model: name, split, drawn, images, picture: pictureOf(name, drawn ? 'synthetic faces' : split, images, png) };
}

/** A face as a picture, then a picture a method of what speaks for its predicted class. */
async function faceAndExplanations(model: MiniXception, face: GreyPicture): Promise<Uint8Array[]> {
  const pictures = [await greyPng(face.pixels, face.width)];
  for (const method of METHODS) pictures.push(await drawExplanation(await model.explain(face, { method }), { side: 2 * SIDE }));
  return pictures;
}

function pictureOf(model: string, whose: string, images: readonly Explained[], png: Uint8Array): Picture {
  const says = images.map((image) => `${image.class} seen as ${image.predicted}`).join(', ');
  return {
    id: `explained-${model}`,
    caption: `${model}: a right and a wrong image of each class of ${whose}, with what speaks for the predicted class.`,
    alt: `A grid of faces, a class a row; columns: a right image, its Grad-CAM, its guided backpropagation, and the same for a wrong one. ${says}.`,
    png: Buffer.from(png).toString('base64'),
  };
}
