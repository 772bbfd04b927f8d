/** Faces in rows and columns with their names, as one PNG. */
import sharp from 'sharp';
import { markup } from '../quoting.js';
import { svgToPng } from './png.js';
import { FONT } from './theme.js';

export interface FaceGrid {
  /** Over the columns. */
  columns: string[];
  /** Beside the rows; a face a column as PNG, or none. */
  rows: { name: string; faces: (Uint8Array | undefined)[] }[];
  /** Side of a face on paper; the picture has two pixels for each. Default 48. */
  side?: number;
}

const GAP = 4;
const LEFT = 66;
const TOP = 20;

/** PNG bytes, on white. */
export async function faceGrid({ columns, rows, side = 48 }: FaceGrid): Promise<Uint8Array> {
  const at = (i: number): number => i * (side + GAP);
  const text = (x: number, y: number, anchor: string, words: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" font-family="${FONT}" fill="#1f2933">${markup(words)}</text>`;
  const images = rows.flatMap(({ faces }, row) =>
    faces.map((face, column) => {
      if (!face) return text(LEFT + at(column) + side / 2, TOP + at(row) + side / 2 + 4, 'middle', 'none');
      const place = `x="${LEFT + at(column)}" y="${TOP + at(row)}" width="${side}" height="${side}"`;
      return `<image ${place} image-rendering="optimizeSpeed" href="data:image/png;base64,${Buffer.from(face).toString('base64')}"/>`;
    }),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + at(columns.length)}" height="${TOP + at(rows.length)}">
<rect width="100%" height="100%" fill="#fff"/>
${columns.map((name, i) => text(LEFT + at(i) + side / 2, TOP - 7, 'middle', name)).join('')}
${rows.map(({ name }, i) => text(LEFT - 8, TOP + at(i) + side / 2 + 4, 'end', name)).join('')}
${images.join('\n')}
</svg>`;
  return sharp(await svgToPng(svg, 2))
    .removeAlpha()
    .png({ palette: true, quality: 95 })
    .toBuffer();
}

/** Grey pixels [size, size] as PNG. */
export function greyPng(pixels: Uint8Array, size: number): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .png()
    .toBuffer();
}
