/** A report on disk: report.html and report.md, and a folder an experiment with its result as JSON, CSV, Markdown and charts. */
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import { writeChart } from '../charts/write.js';
import type { ExperimentResult, Report } from './result.js';

/** Paths of the two whole reports. */
export interface ReportFiles {
  /** One file with everything in it, to open offline. */
  html: string;
  /** The same as Markdown, with charts as files beside it. */
  markdown: string;
}

/** Writes everything into `folder`; returns the paths of the two whole reports. */
export async function writeReport(report: Report, folder: string): Promise<ReportFiles> {
  for (const result of report.results) await writeResult(result, path.join(folder, result.experiment));
  const [{ reportHtml }, { reportMarkdown }] = await Promise.all([import('./html.js'), import('./markdown.js')]);
  const html = path.join(folder, 'report.html');
  const markdown = path.join(folder, 'report.md');
  await writeFileAtomic(html, await reportHtml(report));
  await writeFileAtomic(markdown, reportMarkdown(report));
  return { html, markdown };
}

async function writeResult(result: ExperimentResult, folder: string): Promise<void> {
  const [{ toCsv }, { experimentMarkdown }] = await Promise.all([import('./csv.js'), import('./markdown.js')]);
  const inFolder = (name: string): string => path.join(folder, name);
  // The bytes of pictures lie beside the JSON, not in it.
  const pictures = result.pictures.map(({ png: _png, ...rest }) => ({ ...rest, file: `${rest.id}.png` }));
  await writeFileAtomic(inFolder('result.json'), `${JSON.stringify({ ...result, pictures }, null, 2)}\n`);
  await writeFileAtomic(inFolder('result.md'), experimentMarkdown(result, '', '#'));
  for (const table of result.tables) await writeFileAtomic(inFolder(`${table.id}.csv`), toCsv(table));
  for (const chart of result.charts) await writeChart(chart.spec, inFolder(chart.id));
  for (const { id, png } of result.pictures) await writeFileAtomic(inFolder(`${id}.png`), Buffer.from(png, 'base64'));
}
