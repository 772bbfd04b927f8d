/** Faces in rows and columns with their names, as one PNG. */
import sharp from 'sharp';
import { svgToPng } from './png.js';
import { FONT } from './theme.js';

export interface FaceGrid {
  /** Over the columns. */
  columns: string[];
  /** Beside the rows, with a face a column: grey pixels [size, size]. */
  rows: { name: string; faces: Uint8Array[] }[];
  /** Side of every face, pixels. */
  size: number;
}

const SIDE = 48;
const GAP = 4;
const LEFT = 66;
const TOP = 20;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** PNG bytes, on white, two pixels a pixel of a 48x48 face. */
export async function faceGrid({ columns, rows, size }: FaceGrid): Promise<Uint8Array> {
  const at = (i: number): number => i * (SIDE + GAP);
  const text = (x: number, y: number, anchor: string, words: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" font-family="${FONT}" fill="#1f2933">${escape(words)}</text>`;
  const images = await Promise.all(
    rows.flatMap(({ faces }, row) =>
      faces.map(async (face, column) => {
        const png = await sharp(face, { raw: { width: size, height: size, channels: 1 } })
          .png()
          .toBuffer();
        const place = `x="${LEFT + at(column)}" y="${TOP + at(row)}" width="${SIDE}" height="${SIDE}"`;
        return `<image ${place} image-rendering="optimizeSpeed" href="data:image/png;base64,${png.toString('base64')}"/>`;
      }),
    ),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + at(columns.length)}" height="${TOP + at(rows.length)}">
<rect width="100%" height="100%" fill="#fff"/>
${columns.map((name, i) => text(LEFT + at(i) + SIDE / 2, TOP - 7, 'middle', name)).join('')}
${rows.map(({ name }, i) => text(LEFT - 8, TOP + at(i) + SIDE / 2 + 4, 'end', name)).join('')}
${images.join('\n')}
</svg>`;
  return sharp(svgToPng(svg, 2)).greyscale().png({ compressionLevel: 9 }).toBuffer();
}
