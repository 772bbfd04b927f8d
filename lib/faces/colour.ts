/** A picture in colour, as finders look at it. */
import { greyPicture, isEncoded, readColour, type GreyPicture, type ImageInput } from '../data/image.js';
import type { ColourPicture } from './blazeface.js';

/** The picture for the finder, and the same in grey for the network. */
export async function bothOf(input: ImageInput, mostPixels?: number): Promise<{ colour: ColourPicture; grey: GreyPicture }> {
  if (isEncoded(input)) {
    const [grey, pixels] = await Promise.all([greyPicture(input, undefined, mostPixels), readColour(input, mostPixels)]);
    return { grey, colour: { pixels, width: grey.width, height: grey.height } };
  }
  const grey = await greyPicture(input);
  const pixels = new Uint8Array(grey.pixels.length * 3);
  for (let i = 0; i < grey.pixels.length; i++) pixels.fill(grey.pixels[i], 3 * i, 3 * i + 3);
  return { grey, colour: { pixels, width: grey.width, height: grey.height } };
}
