/** Answers to what is asked about pictures: the same as the command line's, put together from the same parts. */
import { availableParallelism } from 'node:os';
import { contentOf, SVG_PICTURE } from '../data/content.js';
import { greyPicture, isEncoded, stretch, type GreyPicture, type Pixels } from '../data/image.js';
import { invalidArgument } from '../errors.js';
import { drawExplanation } from '../explain/draw.js';
import { explainSeen, type Explanation } from '../explain/explain.js';
import type { FoundFace } from '../faces/blazeface.js';
import type { FaceFinder } from '../faces/finder.js';
import { cutFaces, findFaces } from '../faces/predict-faces.js';
import { networkInput } from '../network/input.js';
import { perturbBatch } from '../perturb/index.js';
import { mirrored } from '../predict/predict.js';
import { predictionsOf, type Prediction } from '../predict/prediction.js';
import { atOnce } from '../slices.js';
import { atMost } from './at-most.js';
import { failureOf, RequestError } from './failure.js';
import type { ServedModel } from './models.js';
import type { Asked, Given } from './pictures.js';
import type { Question } from './question.js';

/** What one picture got. */
export type Answer =
  | (Prediction & { note?: string })
  | { faces: FaceAnswer[] }
  | { error: { code: string; message: string; status: number } };

export interface FaceAnswer extends FoundFace {
  prediction: Prediction;
  /** What the network saw: grey bytes [size * size] in base64, as a picture's `pixels` may come. */
  seen: string;
}

export interface AnswerLimits {
  /** The most pixels of a picture. */
  pixels: number;
}

interface Seen {
  picture: Pixels;
  /** [size, size]: what the network sees, perturbed where that was asked. */
  pixels: Uint8Array;
}

/**
 * Pictures are decoded so many at a time: enough to keep the threads busy, Node's four or one a processor, and no more: beginning and ending
 * a whole queue of them at once would hold the event loop up for a tenth of a second.
 */
const decoding = atMost(Math.max(4, availableParallelism()));

/** Pictures that are decoded for strangers: SVG, a program that draws, is not among them. */
function admitted({ name, content: given }: Given): Uint8Array | Pixels {
  if (!(given instanceof Uint8Array)) return given;
  const content = contentOf(given);
  if (content?.picture && content.name !== SVG_PICTURE) return given;
  const found = given.length === 0 ? 'nothing' : (content?.name ?? 'something else');
  throw new RequestError(422, 'ERR_FER_IMAGE_FORMAT', `${name}: expected a JPEG, PNG, WebP, GIF, AVIF or TIFF picture, got ${found}`);
}

async function perturbed(picture: GreyPicture, { perturbations = [], seed }: Question): Promise<GreyPicture> {
  if (perturbations.length === 0) return picture;
  const { pixels, width, height } = picture;
  const result = await perturbBatch({ images: pixels, count: 1, width, height }, perturbations, { seed, threads: 1 });
  return { pixels: result.images, width: result.width, height: result.height };
}

export async function seenBy({ network }: ServedModel, given: Given, question: Question, limits: AnswerLimits): Promise<Seen> {
  const size = network.inputSize;
  const input = admitted(given);
  const read = (): ReturnType<typeof networkInput> => networkInput(network, input, given.box ?? question.box, limits.pixels);
  const { picture, pixels } = await (isEncoded(input) ? decoding(read) : read());
  if (!question.perturbations?.length) return { picture: isEncoded(given.content) ? picture : given.content, pixels };
  const spoilt = await perturbed({ pixels, width: size, height: size }, question);
  if (spoilt.width !== size) invalidArgument('perturbations', 'those that keep the size of the picture', 'a rotation of size "loose"');
  return { picture: spoilt, pixels: spoilt.pixels };
}

/** Logits of one picture, averaged with its mirror image's where `flip`. */
async function logitsOf({ network, batcher }: ServedModel, pixels: Uint8Array, flip: boolean | undefined): Promise<Float32Array> {
  if (!flip) return batcher.logits(pixels);
  const [one, other] = await Promise.all([batcher.logits(pixels), batcher.logits(atOnce(mirrored(pixels, network.inputSize)))]);
  return one.map((value, i) => (value + other[i]) / 2);
}

const NO_FACE = 'all pixels are equal: the picture shows no face, and the answer means nothing';

export async function predictOne(model: ServedModel, given: Given, question: Question, limits: AnswerLimits): Promise<Answer> {
  const { pixels } = await seenBy(model, given, question, limits);
  const [prediction] = predictionsOf(await logitsOf(model, pixels, question.flip), model.network.classes);
  return pixels.every((value) => value === pixels[0]) ? { ...prediction, note: NO_FACE } : prediction;
}

async function predictFacesOf(
  model: ServedModel,
  given: Given,
  { flip }: Question,
  limits: AnswerLimits,
  finder: FaceFinder,
): Promise<Answer> {
  const { grey, faces } = await findFaces(admitted(given), { finder }, limits.pixels);
  const { inputSize, classes } = model.network;
  const cut = await cutFaces(grey, faces, inputSize);
  const logits = await Promise.all(cut.map((pixels) => logitsOf(model, pixels, flip)));
  return {
    faces: faces.map((face, i) => ({
      ...face,
      prediction: predictionsOf(logits[i], classes)[0],
      seen: Buffer.from(cut[i]).toString('base64'),
    })),
  };
}

/** An answer a picture, in their order; one that fails does not harm the others. */
export function predictAll(
  model: ServedModel,
  { pictures, question }: Asked,
  limits: AnswerLimits,
  finder: () => FaceFinder,
): Promise<Answer[]> {
  return Promise.all(
    pictures.map(async (given): Promise<Answer> => {
      try {
        return await (question.faces
          ? predictFacesOf(model, given, question, limits, finder())
          : predictOne(model, given, question, limits));
      } catch (error) {
        const failure = failureOf(error);
        if (failure.status === 500) throw error;
        return { error: failure };
      }
    }),
  );
}

export async function explainOne(
  model: ServedModel,
  given: Given,
  question: Question,
  limits: AnswerLimits,
): Promise<{ explanation: Explanation; pixels: Uint8Array }> {
  const { picture, pixels } = await seenBy(model, given, question, limits);
  const { method, layer } = question;
  return { explanation: await explainSeen(model.network, pixels, picture, { method, layer, class: question.class }), pixels };
}

export const drawn = (explanation: Explanation, { size = 480 }: Question): Promise<Uint8Array> =>
  drawExplanation(explanation, { side: Math.max(size, 16) });

/** The picture itself, cut, stretched to a square where a size is asked for, and perturbed: a PNG. */
export async function perturbOne(given: Given, question: Question, limits: AnswerLimits): Promise<Uint8Array> {
  const { size } = question;
  const input = admitted(given);
  const picture = await decoding(() => greyPicture(input, given.box ?? question.box, limits.pixels));
  const whole = size === undefined ? picture : { pixels: await stretch(picture, size), width: size, height: size };
  const { pixels, width, height } = await perturbed(whole, question);
  const { default: sharp } = await import('sharp');
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
