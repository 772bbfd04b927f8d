/** Charts on disk, as SVG and PNG. */
import type { TopLevelSpec } from 'vega-lite';
import { writeFileAtomic } from '../atomic-file.js';
import { warnOnce } from '../warning.js';
import type { ChartSpec } from './spec.js';
import { FILE_THEME } from './theme.js';

/** The chart as SVG. */
export async function chartSvg(spec: ChartSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec as unknown as TopLevelSpec, { config: FILE_THEME }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** The chart as PNG, two pixels a unit. */
export const chartPng = async (spec: ChartSpec): Promise<Uint8Array> => (await import('./png.js')).svgToPng(await chartSvg(spec), 2);

/**
 * Writes `<base>.svg` and `<base>.png`; returns the paths of what was written. Where no PNG can be drawn (its library or the font is out of
 * reach) there is only the SVG, and a warning.
 */
export async function writeChart(spec: ChartSpec, base: string): Promise<string[]> {
  const svg = await chartSvg(spec);
  await writeFileAtomic(`${base}.svg`, svg);
  let png: Uint8Array;
  try {
    png = await (await import('./png.js')).svgToPng(svg, 2);
  } catch (error) {
    warnOnce(`charts are written as SVG alone, because no PNG can be drawn: ${(error as Error).message}`);
    return [`${base}.svg`];
  }
  await writeFileAtomic(`${base}.png`, png);
  return [`${base}.svg`, `${base}.png`];
}
