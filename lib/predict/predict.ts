/** Recognising pictures. */
import type { Box, ImageInput } from '../data/image.js';
import { networkInput } from '../network/input.js';
import type { Network } from '../network/network.js';
import { inSlices } from '../slices.js';
import { predictionsOf, type Prediction } from './prediction.js';

/** How pictures are read, and whether their mirror images count. */
export interface PredictOptions {
  /** The face's place in the picture; default the whole picture. Not for `Pixels`. */
  box?: Box;
  /** Average the logits of the image and its mirror image. Default false. */
  flip?: boolean;
}

/** Images [count, size, size] with left and right exchanged. */
export function* mirrored(images: Uint8Array, size: number): Generator<void, Uint8Array> {
  const out = images.slice();
  for (let row = 0; row < out.length; row += size) {
    out.subarray(row, row + size).reverse();
    yield;
  }
  return out;
}

/** One prediction a picture, in their order. */
export async function predict(network: Network, inputs: readonly ImageInput[], { box, flip }: PredictOptions): Promise<Prediction[]> {
  const { inputSize: size, classes } = network.metadata;
  const images = new Uint8Array(inputs.length * size * size);
  await Promise.all(inputs.map(async (input, i) => images.set((await networkInput(network, input, box)).pixels, i * size * size)));
  const logits = await network.native.logits(images, inputs.length);
  if (flip) {
    (await network.native.logits(await inSlices(mirrored(images, size)), inputs.length)).forEach(
      (value, i) => (logits[i] = (logits[i] + value) / 2),
    );
  }
  return predictionsOf(logits, classes);
}
