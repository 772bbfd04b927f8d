/** From a photograph to an answer a face: found, cut out as FER2013's faces are, recognised. */
import type { Box, GreyPicture, ImageInput } from '../data/image.js';
import { invalidArgument } from '../errors.js';
import type { Network } from '../network/network.js';
import { mirrored } from '../predict/predict.js';
import { predictionsOf, type Prediction } from '../predict/prediction.js';
import { inSlices, pacer } from '../slices.js';
import { cutFace } from './align.js';
import type { FoundFace } from './blazeface.js';
import { bothOf } from './colour.js';
import { faceFinder, type FaceFinder } from './finder.js';

/** How faces are found and cut out. */
export interface PredictFacesOptions {
  /** Who finds them. Default: BlazeFace (`faceFinder`), which needs an optional package. */
  finder?: FaceFinder;
  /** Faces that are known already, instead of finding them: boxes, perhaps with eyes. */
  faces?: readonly (Box | FoundFace)[];
  /** Turn each face so that its eyes are level. Default true. */
  align?: boolean;
  /** Average the logits of each face and its mirror image. Default false. */
  flip?: boolean;
}

/** One face, and what the network says of it. */
export interface FacePrediction extends FoundFace {
  /** What the network says. */
  prediction: Prediction;
  /** What it saw: the face, upright, grey, [size * size]. */
  seen: GreyPicture;
}

/** Made when it is first needed: its thread is kept. */
let standard: FaceFinder | undefined;

const isBox = (face: Box | FoundFace): face is Box => !('box' in face);

/** What a caller gives: a box alone counts as sure. */
function given(face: Box | FoundFace): FoundFace {
  const found = isBox(face) ? { box: face, confidence: 1 } : face;
  const { left, top, width, height } = found.box;
  if (![left, top, width, height].every(Number.isFinite) || !(width > 0 && height > 0))
    invalidArgument('faces', 'boxes with left, top, width and height, the last two above 0', [left, top, width, height].join());
  return found;
}

export async function findFaces(
  input: ImageInput,
  options: PredictFacesOptions = {},
  mostPixels?: number,
): Promise<{ grey: GreyPicture; faces: FoundFace[] }> {
  const { colour, grey } = await bothOf(input, mostPixels);
  const faces = options.faces ?? (await (options.finder ?? (standard ??= faceFinder())).find(colour));
  return { grey, faces: faces.map(given).sort((a, b) => b.confidence - a.confidence) };
}

/** Each face as the network sees it, [size * size]. */
export async function cutFaces(grey: GreyPicture, faces: readonly FoundFace[], size: number, align = true): Promise<Uint8Array[]> {
  const rest = pacer();
  const cut: Uint8Array[] = [];
  for (const face of faces) {
    cut.push(cutFace(grey, face, size, align));
    await rest();
  }
  return cut;
}

/** @throws {FerError} as `MiniXception.predictFaces` */
export async function predictFaces(network: Network, input: ImageInput, options: PredictFacesOptions = {}): Promise<FacePrediction[]> {
  const { grey, faces } = await findFaces(input, options);
  if (faces.length === 0) return [];
  const { inputSize: size, classes } = network.metadata;
  const cut = await cutFaces(grey, faces, size, options.align);
  const images = new Uint8Array(faces.length * size * size);
  cut.forEach((pixels, i) => images.set(pixels, i * size * size));
  const logits = await network.native.logits(images, faces.length);
  if (options.flip) {
    const other = await network.native.logits(await inSlices(mirrored(images, size)), faces.length);
    other.forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
  }
  const predictions = predictionsOf(logits, classes);
  return faces.map((face, i) => ({ ...face, prediction: predictions[i], seen: { pixels: cut[i], width: size, height: size } }));
}
