/** Whether what a network sees is a face at all: it answers for anything. */
import type { FaceFinder } from './finder.js';

/** Finders expect something around a face; FER2013's fill their pictures. */
const AROUND = 2;
const GREY = 100;

/** Grey pixels [size, size]. */
export async function showsFace(finder: FaceFinder, pixels: Uint8Array, size: number): Promise<boolean> {
  const side = size * AROUND;
  const from = (side - size) >> 1;
  const picture = new Uint8Array(side * side * 3).fill(GREY);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const at = ((from + y) * side + from + x) * 3;
      picture.fill(pixels[y * size + x], at, at + 3);
    }
  return (await finder.find({ pixels: picture, width: side, height: side })).length > 0;
}
