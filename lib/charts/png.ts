/** SVG to PNG. Fonts come with the package, so that machines without any draw the same. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { FONT } from './theme.js';

const require = createRequire(import.meta.url);

/** `zoom`: pixels a unit of the SVG. */
export function svgToPng(svg: string, zoom: number): Uint8Array {
  const fonts = path.join(path.dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => path.join(fonts, file)),
      loadSystemFonts: false,
      defaultFontFamily: FONT,
    },
  });
  return image.render().asPng();
}
