/** What every report says around the results, in words: titles, sections, facts. The Markdown and HTML writers lay it out. */
import { figure, difference } from './format.js';
import type { Column, Comparison, Environment, ExperimentResult, OpenPoint, Report, Table, Value } from './result.js';

export const TITLE = 'Mini_Xception: the paper and this reproduction';

/** The report's first paragraphs. */
export function introduction({ results, missing }: Report): string[] {
  const shown = results.map(({ experiment }) => `${experiment}/`);
  const absent = missing.filter((cell) => !shown.some((prefix) => cell.startsWith(prefix)));
  return [...INTRODUCTION, ...(absent.length > 0 ? [`Not run yet, and so without a section: ${absent.join(', ')}.`] : [])];
}

const INTRODUCTION = [
  'Every experiment of Lyu, “Facial Expression Recognition based on Mini_Xception”, run again with fer-cudnn, each figure beside the ' +
    "paper's. Intervals are 95 % Wilson score intervals; n is the number of images behind a figure.",
  'Percentages are rounded to a tenth. What was run at which length stands with each experiment; nothing is extrapolated.',
];

/** A table made of words, as both writers print it. */
export interface WordTable {
  caption: string;
  columns: { title: string; numeric: boolean }[];
  rows: string[][];
}

export function comparisonTable(caption: string, comparisons: readonly Comparison[]): WordTable {
  return {
    caption,
    columns: [
      { title: 'figure', numeric: false },
      { title: 'place', numeric: false },
      { title: 'paper', numeric: true },
      { title: 'ours', numeric: true },
      { title: 'difference', numeric: true },
      { title: 'why they differ', numeric: false },
    ],
    rows: comparisons.map((comparison) => {
      const { name, place, paper, ours, format, why } = comparison;
      return [name, place, figure(paper, format), figure(ours, format), difference(comparison), why];
    }),
  };
}

export function wordTable(
  table: Table,
  show: (value: Value | undefined, column: Column) => string,
  head: (column: Column) => string,
): WordTable {
  return {
    caption: table.caption,
    columns: table.columns.map((column) => ({ title: head(column), numeric: column.format !== 'text' })),
    rows: table.rows.map((row) => table.columns.map((column) => show(row[column.key], column))),
  };
}

export function environmentTable(environments: readonly Environment[]): WordTable {
  const text = (title: string) => ({ title, numeric: false });
  return {
    caption: 'Machines and software behind the figures.',
    columns: ['device', 'processor', 'cores', 'memory', 'system', 'Node.js', 'fer-cudnn', 'commit', 'date'].map(text),
    rows: environments.map((e) => [
      e.device,
      e.processor,
      String(e.cores),
      `${e.memoryGibibytes} GiB`,
      e.system,
      e.node,
      e.version,
      e.commit ?? '–',
      e.date,
    ]),
  };
}

/** Each once, in the order in which they first appear. */
export function distinct<T>(lists: readonly (readonly T[])[]): T[] {
  const seen = new Map(lists.flat().map((item) => [JSON.stringify(item), item]));
  return [...seen.values()];
}

export const allEnvironments = (results: readonly ExperimentResult[]): Environment[] => distinct(results.map((r) => r.environments));
export const allOpenPoints = (results: readonly ExperimentResult[]): OpenPoint[] => distinct(results.map((r) => r.openPoints));

/** Facts that stand below an experiment's statements: its seeds, and what has not run. */
export function closingStatements({ seeds, missing }: ExperimentResult): string[] {
  return [
    ...(seeds.length > 0 ? [`Seeds: ${seeds.join(', ')}.`] : []),
    ...(missing.length > 0 ? [`Not run yet: ${missing.join(', ')}.`] : []),
  ];
}
