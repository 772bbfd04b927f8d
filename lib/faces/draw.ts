/** A photograph with its faces boxed and named. */
import { invalidArgument } from '../errors.js';
import { percent } from '../plain-text.js';
import { markup } from '../quoting.js';
import type { FacePrediction } from './predict-faces.js';

/** Size and format of the picture. */
export interface DrawFacesOptions {
  /** Longer side of the picture, 16 to 8192 pixels; a smaller picture keeps its size. Default 1600. */
  side?: number;
  /** Default "jpeg". */
  format?: 'jpeg' | 'png' | 'webp' | 'avif';
}

/** Of the sides and the words, told apart from any picture by a dark and a light line. */
const [DARK, LIGHT] = ['#14181d', '#ffd166'];

/** An SVG of the boxes over a picture of width x height, which is `scale` times as large as the one the faces are of. */
function overlay(faces: readonly FacePrediction[], width: number, height: number, scale: number): string {
  const thick = Math.max(2, Math.round(Math.max(width, height) / 500));
  const letters = Math.max(12, Math.round(Math.max(width, height) / 60));
  const parts = faces.map(({ box, prediction }) => {
    const [left, top, across, down] = [box.left, box.top, box.width, box.height].map((value) => value * scale);
    const words = `${prediction.label} ${percent(prediction.probability)}`;
    const line = letters * 1.45;
    const y = top - line - thick >= 0 ? top - line - thick : Math.min(top + down + thick, height - line);
    const long = words.length * letters * 0.62 + letters;
    const x = Math.max(0, Math.min(left, width - long));
    const frame = `x="${left}" y="${top}" width="${across}" height="${down}" rx="${thick}" fill="none"`;
    return [
      `<rect ${frame} stroke="${DARK}" stroke-width="${2 * thick}"/>`,
      `<rect ${frame} stroke="${LIGHT}" stroke-width="${thick}"/>`,
      `<rect x="${x}" y="${y}" width="${long}" height="${line}" rx="${thick}" fill="${DARK}" fill-opacity="0.85"/>`,
      `<text x="${x + letters / 2}" y="${y + letters * 1.1}" font-family="DejaVu Sans" font-size="${letters}" fill="#fff">${markup(words)}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${parts.join('')}</svg>`;
}

/**
 * The photograph in colour with a box and a word a face, encoded.
 * @throws {FerError} ERR_FER_ARGUMENT, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND
 */
export async function drawFaces(
  image: string | Uint8Array,
  faces: readonly FacePrediction[],
  { side = 1600, format = 'jpeg' }: DrawFacesOptions = {},
): Promise<Uint8Array> {
  if (!Number.isInteger(side) || side < 16 || side > 8192) invalidArgument('side', 'a whole number from 16 to 8192', side);
  if (!['jpeg', 'png', 'webp', 'avif'].includes(format)) invalidArgument('format', 'jpeg, png, webp or avif', format);
  const [{ default: sharp }, { readColour }, { svgToPng }] = await Promise.all([
    import('sharp'),
    import('../data/image.js'),
    import('../charts/png.js'),
  ]);
  const { pixels, width, height } = await readColour(image);
  const scale = Math.min(1, side / Math.max(width, height));
  const [across, down] = [width, height].map((each) => Math.max(1, Math.round(each * scale)));
  const photo = sharp(pixels, { raw: { width, height, channels: 3 } }).resize(across, down, { fit: 'fill' });
  const boxes = await svgToPng(overlay(faces, across, down, scale), 1);
  return photo
    .composite([{ input: Buffer.from(boxes), left: 0, top: 0 }])
    .toFormat(format, format === 'jpeg' ? { quality: 90 } : {})
    .toBuffer();
}
