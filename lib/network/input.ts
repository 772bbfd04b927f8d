/** What a network sees of a picture. */
import { resizeBilinear } from '../data/bilinear.js';
import { greyPicture, isEncoded, stretch, type Box, type GreyPicture, type ImageInput } from '../data/image.js';
import { invalidArgument } from '../errors.js';
import type { Network } from './network.js';

/**
 * The picture in grey, and its pixels at the network's input size [inputSize, inputSize]. Encoded pictures are stretched to a
 * square; raw pixels must be one.
 * @throws {FerError} ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND, ERR_FER_ARGUMENT
 */
export async function networkInput(
  network: Network,
  input: ImageInput,
  box?: Box,
  mostPixels?: number,
): Promise<{ picture: GreyPicture; pixels: Uint8Array }> {
  const size = network.metadata.inputSize;
  const picture = await greyPicture(input, box, mostPixels);
  if (isEncoded(input)) return { picture, pixels: await stretch(picture, size) };
  const { pixels, width, height } = picture;
  if (width !== height) invalidArgument('image', 'square pixels (or an encoded picture, which is stretched)', `${width}x${height}`);
  return { picture, pixels: resizeBilinear(pixels, 1, width, size) };
}
