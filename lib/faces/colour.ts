/** A picture in colour, as finders look at it. */
import { greyOf, greyPicture, isEncoded, readColour, type ColourPicture, type GreyPicture, type ImageInput } from '../data/image.js';

/** The picture for the finder, and the same in grey for the network. */
export async function bothOf(input: ImageInput, mostPixels?: number): Promise<{ colour: ColourPicture; grey: GreyPicture }> {
  if (isEncoded(input)) {
    const colour = await readColour(input, mostPixels);
    return { colour, grey: await greyOf(colour) };
  }
  const grey = await greyPicture(input);
  const pixels = new Uint8Array(grey.pixels.length * 3);
  for (let i = 0; i < grey.pixels.length; i++) pixels.fill(grey.pixels[i], 3 * i, 3 * i + 3);
  return { grey, colour: { pixels, width: grey.width, height: grey.height } };
}
