/**
 * What an experiment found, in the one form that every output is made from: JSON, CSV, Markdown, charts and the HTML
 * report. It is plain JSON; values are raw (fractions, seconds, bytes) and each column says how they are shown.
 */
import type { ChartSpec } from '../charts/spec.js';
import type { Interval } from '../metrics/index.js';

/** One cell of a table. */
export type Value = string | number | boolean | Interval | null;

/** How a value is shown; fractions are shown as percentages. */
export type Format = 'text' | 'count' | 'percent' | 'interval' | 'seconds' | 'number' | 'millions' | 'mebibytes';

/** One column of a table. */
export interface Column {
  key: string;
  title: string;
  format: Format;
}

/** A table of raw values, and how to show them. */
export interface Table {
  /** File name without its extension. */
  id: string;
  /** A sentence. */
  caption: string;
  /** From left to right. */
  columns: Column[];
  /** Values by the columns' keys. */
  rows: Record<string, Value>[];
}

export interface Chart {
  id: string;
  caption: string;
  /** What a reader who cannot see it must know. */
  alt: string;
  spec: ChartSpec;
}

export interface Picture {
  id: string;
  caption: string;
  alt: string;
  /** The PNG's bytes, base64. */
  png: string;
}

/** A figure with what it rests on. */
export interface Figure {
  /** Raw: a fraction, seconds, bytes. */
  value: number;
  /** 95 % Wilson score interval. */
  interval?: Interval;
  /** Images. */
  n?: number;
  /** It is a mean over so many seeds. */
  seeds?: number;
  /** Their sample standard deviation. */
  deviation?: number;
  /** Only this is known: the figure is below `value`. */
  below?: boolean;
}

/** One figure of the paper beside ours. */
export interface Comparison {
  /** Unique in its experiment. */
  id: string;
  /** Where the paper prints it, such as "Table 1". */
  place: string;
  /** Such as "Accuracy, narrow, preset paper". */
  name: string;
  /** How both figures are shown. */
  format: Format;
  /** The paper's figure. */
  paper: Figure;
  /** Absent while its part of the experiment has not run. */
  ours?: Figure;
  /** Why the two differ, as far as is known. */
  why: string;
}

/** The machine and the software behind a figure. */
export interface Environment {
  /** Such as "CPU, x86-64-v4 kernels, 2 threads". */
  device: string;
  /** Its name, as the system gives it. */
  processor: string;
  /** As the system counts them. */
  cores: number;
  /** Of the machine. */
  memoryGibibytes: number;
  /** Name and version of the operating system. */
  system: string;
  /** Version of Node.js. */
  node: string;
  /** Of this package. */
  version: string;
  /** Of the package's own repository; absent in an installed package. */
  commit?: string;
  /** ISO day. */
  date: string;
}

/** Something the paper does not say, and what is done here instead. */
export interface OpenPoint {
  point: string;
  here: string;
}

/** What one experiment found. */
export interface ExperimentResult {
  /** Name in the registry, such as "width". */
  experiment: string;
  /** Its heading in the report. */
  title: string;
  /** One paragraph: what is asked and how. */
  summary: string;
  /** What was run: data, lengths, where; one sentence each. */
  statements: string[];
  /** The paper's figures beside ours. */
  comparisons: Comparison[];
  /** In the order of the report. */
  tables: Table[];
  /** In the order of the report. */
  charts: Chart[];
  /** In the order of the report. */
  pictures: Picture[];
  /** Of the trainings, each once. */
  seeds: number[];
  /** Machines that the cells ran on, each once. */
  environments: Environment[];
  /** What the paper leaves open. */
  openPoints: OpenPoint[];
  /** Cells that have not run yet. */
  missing: string[];
}

/** Everything that one report tells. */
export interface Report {
  /** An experiment of which nothing has run has none. */
  results: ExperimentResult[];
  /** Cells of all experiments that have not run yet: "<experiment>/<cell>". */
  missing: string[];
}
