/** An explanation as a picture: the face in grey, the map over it in colour. */
import { enlarge } from '../data/bilinear.js';
import { invalidArgument } from '../errors.js';
import { pacer } from '../slices.js';
import { evidenceColour, signedColour } from './colours.js';
import type { Explanation } from './explain.js';

/** Size and format of the picture. */
export interface DrawOptions {
  /** Longer side of the picture, 16 to 4096 pixels. Default 480. */
  side?: number;
  /** Default "png". */
  format?: 'png' | 'jpeg' | 'webp' | 'avif';
}

/** Gradients have a few pixels far above the others; what is above this share of them is drawn at full strength. */
const FULL_STRENGTH = 0.99;

function contrasted(map: Float32Array): Float32Array {
  const magnitudes = map.map(Math.abs).sort();
  const full = magnitudes[Math.floor((map.length - 1) * FULL_STRENGTH)] || magnitudes[map.length - 1] || 1;
  return map.map((value) => Math.min(Math.max(value / full, -1), 1));
}

/**
 * The face in grey with the map in colour over it, encoded. Grad-CAM: from violet to yellow, no colour where there is no
 * evidence. The guided methods: red where a brighter pixel would speak for the class, blue where against it.
 */
export async function drawExplanation(explanation: Explanation, options: DrawOptions = {}): Promise<Uint8Array> {
  const { side = 480, format = 'png' } = options;
  if (!Number.isInteger(side) || side < 16 || side > 4096) invalidArgument('side', 'a whole number from 16 to 4096', side);
  if (!['png', 'jpeg', 'webp', 'avif'].includes(format)) invalidArgument('format', 'png, jpeg, webp or avif', format);
  const { picture, map, size, method } = explanation;
  const ratio = side / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * ratio));
  const height = Math.max(1, Math.round(picture.height * ratio));
  const { default: sharp } = await import('sharp');
  const face = await sharp(Uint8ClampedArray.from(picture.pixels), { raw: { width: picture.width, height: picture.height, channels: 1 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  const evidence = method === 'grad-cam';
  const values = enlarge(evidence ? map : contrasted(map), size, width, height);
  const colourOf = evidence ? evidenceColour : signedColour;
  const rgb = new Uint8Array(3 * width * height);
  const rest = pacer();
  for (let y = 0; y < height; y++) {
    for (let i = y * width; i < (y + 1) * width; i++) {
      const [red, green, blue, cover] = colourOf(values[i]);
      [red, green, blue].forEach((channel, k) => (rgb[3 * i + k] = Math.round(face[i] + (channel - face[i]) * cover)));
    }
    await rest();
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}
