/** Charts on disk, as SVG and PNG. */
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { writeFileAtomic } from '../atomic-file.js';
import { svgToPng } from './png.js';
import { FILE_THEME } from './theme.js';

/** The chart as SVG. */
export async function chartSvg(spec: TopLevelSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec, { config: FILE_THEME }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** Writes `<base>.svg` and `<base>.png`; returns their paths. */
export async function writeChart(spec: TopLevelSpec, base: string): Promise<string[]> {
  const svg = await chartSvg(spec);
  await writeFileAtomic(`${base}.svg`, svg);
  await writeFileAtomic(`${base}.png`, svgToPng(svg, 2));
  return [`${base}.svg`, `${base}.png`];
}
