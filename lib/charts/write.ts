/** Charts on disk, as SVG and PNG. */
import type { TopLevelSpec } from 'vega-lite';
import { writeFileAtomic } from '../atomic-file.js';
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

/** Writes `<base>.svg` and `<base>.png`; returns their paths. */
export async function writeChart(spec: ChartSpec, base: string): Promise<string[]> {
  const [svg, { svgToPng }] = await Promise.all([chartSvg(spec), import('./png.js')]);
  await writeFileAtomic(`${base}.svg`, svg);
  await writeFileAtomic(`${base}.png`, svgToPng(svg, 2));
  return [`${base}.svg`, `${base}.png`];
}
