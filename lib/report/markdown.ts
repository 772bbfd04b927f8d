/** Results as Markdown, charts and pictures as links to the files beside it. */
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
import { markdown, markdownPath } from '../quoting.js';
import { heading, shown } from './format.js';
import type { ExperimentResult, Report } from './result.js';

function table({ caption, columns, rows }: WordTable): string {
  const line = (cells: string[]): string => `| ${cells.map(markdown).join(' | ')} |`;
  return [
    `*${markdown(caption)}*`,
    '',
    line(columns.map(({ title }) => title)),
    line(columns.map(({ numeric }) => (numeric ? '---:' : '---'))),
    ...rows.map(line),
    '',
  ].join('\n');
}

/** One experiment; `folder` is where its charts are, relative to the document. */
export function experimentMarkdown(result: ExperimentResult, folder: string, level = '##'): string {
  const image = (id: string, extension: string, alt: string, caption: string): string =>
    `![${markdown(alt)}](${markdownPath(`${folder}${id}.${extension}`)})\n\n*${markdown(caption)}*\n`;
  return [
    `${level} ${markdown(result.title)}\n`,
    `${markdown(result.summary)}\n`,
    [...result.statements, ...closingStatements(result)].map((statement) => `- ${markdown(statement)}`).join('\n') + '\n',
    ...(result.comparisons.length > 0 ? [table(comparisonTable('The paper and ours.', result.comparisons))] : []),
    ...result.tables.map((each) => table(wordTable(each, (value, { format }) => shown(value, format), heading))),
    ...result.charts.map(({ id, alt, caption }) => image(id, 'svg', alt, caption)),
    ...result.pictures.map(({ id, alt, caption }) => image(id, 'png', alt, caption)),
  ].join('\n');
}

/** The whole report; charts are expected in a folder an experiment. */
export function reportMarkdown(report: Report): string {
  const { results } = report;
  const points = allOpenPoints(results);
  const environments = allEnvironments(results);
  return [
    `# ${markdown(TITLE)}\n`,
    ...introduction(report).map((paragraph) => `${markdown(paragraph)}\n`),
    ...results.map((result) => experimentMarkdown(result, `${result.experiment}/`)),
    ...(environments.length > 0 ? ['## Environment\n', table(environmentTable(environments))] : []),
    ...(points.length > 0
      ? [
          '## Small print: what the paper leaves open\n',
          points.map(({ point, here }) => `- ${markdown(point)} *Here: ${markdown(here)}*`).join('\n') + '\n',
        ]
      : []),
  ].join('\n');
}
