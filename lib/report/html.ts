/**
 * The report as one HTML file that needs nothing else: style, charts with the library that draws them, and pictures are
 * all inside. Charts take their colours from the page's CSS variables, so the style sheet alone decides between light,
 * dark and print.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { jsonInScript, markup } from '../quoting.js';
import { chartSvg } from '../charts/write.js';
import { PAGE_THEME } from '../charts/theme.js';
import {
  allEnvironments,
  allOpenPoints,
  closingStatements,
  comparisonTable,
  environmentTable,
  introduction,
  TITLE,
  wordTable,
  type WordTable,
} from './document.js';
import { heading, shown } from './format.js';
import type { Chart, ExperimentResult, Picture, Report } from './result.js';
import { STYLE } from './style.js';

/** A script's text must not end the element that holds it. */
const insideScript = (text: string): string => text.replace(/<(?=\/script|!--)/gi, '\\x3c');

const require = createRequire(import.meta.url);

/** The minified builds of vega, vega-lite and vega-embed, in the order in which they load, and their licences. */
async function chartLibrary(): Promise<{ scripts: string[]; licence: string }> {
  const folder = (name: string): string => {
    const main = require.resolve(name);
    return main.slice(0, main.lastIndexOf(path.join('node_modules', name)) + path.join('node_modules', name).length);
  };
  const names = ['vega', 'vega-lite', 'vega-embed'];
  const scripts = await Promise.all(names.map((name) => readFile(path.join(folder(name), 'build', `${name}.min.js`), 'utf8')));
  // Vega's own package holds none; the three come from one group under one licence.
  const licence = await readFile(path.join(folder('vega-lite'), 'LICENSE'), 'utf8');
  return { scripts: scripts.map((text) => text.replace(/\n?\/\/# sourceMappingURL=.*$/m, '')), licence };
}

const DRAW = `
const theme = JSON.parse(document.getElementById('theme').textContent);
for (const plot of document.querySelectorAll('.plot')) {
  const spec = JSON.parse(plot.querySelector('script').textContent);
  // The caption and the label of the figure speak; the marks of the drawing are silent.
  vegaEmbed(plot, spec, { config: theme, renderer: 'svg', actions: false, logLevel: vega.Error }).then(
    () => plot.querySelector('svg').setAttribute('aria-hidden', 'true'),
    (error) => { plot.textContent = 'This chart could not be drawn: ' + error.message; },
  );
}`.trim();

/** A figure that breaks only before what it rests on: "58.9 % (57.3 to 60.5, n = 3,589)". */
const breaking = (text: string): string => text.replaceAll(/ (?!\()/g, '\u00a0');

/** The roles are those of the elements; they are said again because a style that stacks the cells would lose them. */
function table({ caption, columns, rows }: WordTable, kind = ''): string {
  const number = (i: number): string => (columns[i].numeric ? ' class="number"' : '');
  const head = columns.map(({ title }, i) => `<th scope="col" role="columnheader"${number(i)}>${markup(title)}</th>`).join('');
  const body = rows
    .map((row) => {
      const [first, ...rest] = row.map((text, i) => markup(kind === 'figures' && columns[i].numeric ? breaking(text) : text));
      const cells = rest.map((text, i) => `<td role="cell" data-label="${markup(columns[i + 1].title)}"${number(i + 1)}>${text}</td>`);
      return `<tr role="row"><th scope="row" role="rowheader">${first}</th>${cells.join('')}</tr>`;
    })
    .join('\n');
  return `<div class="scroll" role="region" tabindex="0" aria-label="${markup(caption)}"><table role="table"${kind ? ` class="${kind}"` : ''}>
<caption>${markup(caption)}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${body}
</tbody></table></div>`;
}

async function chart({ caption, alt, spec }: Chart): Promise<string> {
  // A single view fits its column; what is made of several keeps its size.
  const fitted =
    'width' in spec && typeof spec.width === 'number'
      ? { ...spec, width: 'container', autosize: { type: 'fit-x', contains: 'padding' } }
      : spec;
  const still = Buffer.from(await chartSvg(spec)).toString('base64');
  return `<figure><div class="plot" role="img" aria-label="${markup(alt)}"><script type="application/json">${jsonInScript(fitted)}</script></div>
<noscript><img alt="${markup(alt)}" src="data:image/svg+xml;base64,${still}"></noscript>
<figcaption>${markup(caption)}</figcaption></figure>`;
}

function picture({ caption, alt, png }: Picture): string {
  return `<figure><div class="picture"><img alt="${markup(alt)}" src="data:image/png;base64,${Buffer.from(png, 'base64').toString('base64')}"></div>
<figcaption>${markup(caption)}</figcaption></figure>`;
}

const list = (items: readonly string[], kind: string): string =>
  `<ul class="${kind}">${items.map((item) => `<li>${markup(item)}</li>`).join('\n')}</ul>`;

async function section(result: ExperimentResult): Promise<string> {
  const parts = [
    `<section id="${markup(result.experiment)}"><h2>${markup(result.title)}</h2>`,
    `<p>${markup(result.summary)}</p>`,
    list([...result.statements, ...closingStatements(result)], 'statements'),
    ...(result.comparisons.length > 0
      ? [table(comparisonTable(`${result.title}: the paper and ours.`, result.comparisons), 'figures')]
      : []),
    ...(await Promise.all(result.charts.map(chart))),
    ...result.tables.map((each) => table(wordTable(each, (value, { format }) => shown(value, format), heading))),
    ...result.pictures.map(picture),
    '</section>',
  ];
  return parts.join('\n');
}

/** The whole report. */
export async function reportHtml(report: Report): Promise<string> {
  const { results } = report;
  const { scripts, licence } = await chartLibrary();
  const points = allOpenPoints(results);
  const environments = allEnvironments(results);
  const links = [
    ...results.map(({ experiment, title }) => [experiment, title]),
    ...(environments.length > 0 ? [['environment', 'Environment']] : []),
    ...(points.length > 0 ? [['small-print', 'Small print']] : []),
  ];
  const openList = points.map(({ point, here }) => `<dt>${markup(point)}</dt><dd>Here: ${markup(here)}</dd>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${markup(TITLE)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>${markup(TITLE)}</h1>
${introduction(report)
  .map((paragraph) => `<p>${markup(paragraph)}</p>`)
  .join('\n')}
<nav aria-label="Sections"><ul>${links.map(([id, title]) => `<li><a href="#${markup(id)}">${markup(title)}</a></li>`).join('')}</ul></nav>
</header>
<main>
${(await Promise.all(results.map(section))).join('\n')}
${environments.length > 0 ? `<section id="environment"><h2>Environment</h2>${table(environmentTable(environments))}</section>` : ''}
${points.length > 0 ? `<section id="small-print"><h2>Small print: what the paper leaves open</h2><dl class="open">${openList}</dl></section>` : ''}
</main>
<footer>Made by fer-cudnn. The charts are drawn by Vega, Vega-Lite and Vega-Embed, which are part of this file.</footer>
<!--
${licence.replaceAll('--', '- -')}
-->
<script type="application/json" id="theme">${jsonInScript(PAGE_THEME)}</script>
${scripts.map((text) => `<script>${insideScript(text)}</script>`).join('\n')}
<script>
${DRAW}
</script>
</body>
</html>
`;
}
