/** Recognising pictures. */
import type { Box, ImageInput } from '../data/image.js';
import { networkInput } from '../network/input.js';
import type { Network } from '../network/network.js';
import { predictionsOf, type Prediction } from './prediction.js';

/** How pictures are read, and whether their mirror images count. */
export interface PredictOptions {
  /** The face's place in the picture; default the whole picture. Not for `Pixels`. */
  box?: Box;
  /** Average the logits of the image and its mirror image. Default false. */
  flip?: boolean;
}

/** One prediction a picture, in their order. */
export async function predict(network: Network, inputs: readonly ImageInput[], { box, flip }: PredictOptions): Promise<Prediction[]> {
  const { inputSize: size, classes } = network.metadata;
  const images = new Uint8Array(inputs.length * size * size);
  await Promise.all(inputs.map(async (input, i) => images.set((await networkInput(network, input, box)).pixels, i * size * size)));
  const logits = await network.native.logits(images, inputs.length);
  if (flip) {
    const mirrored = images.map((_, i) => images[i - (i % size) + (size - 1 - (i % size))]);
    (await network.native.logits(mirrored, inputs.length)).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
  }
  return predictionsOf(logits, classes);
}
