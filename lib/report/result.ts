/**
 * What an experiment found, in the one form that every output is made from: JSON, CSV, Markdown, charts and the HTML
 * report. It is plain JSON; values are raw (fractions, seconds, bytes) and each column says how they are shown.
 */
import type { TopLevelSpec } from 'vega-lite';
import type { Interval } from '../metrics/index.js';

export type Value = string | number | boolean | Interval | null;

/** How a value is shown; fractions are shown as percentages. */
export type Format = 'text' | 'count' | 'percent' | 'interval' | 'seconds' | 'number' | 'millions' | 'mebibytes';

export interface Column {
  key: string;
  title: string;
  format: Format;
}

export interface Table {
  /** File name without its extension. */
  id: string;
  caption: string;
  columns: Column[];
  rows: Record<string, Value>[];
}

export interface Chart {
  id: string;
  caption: string;
  /** What a reader who cannot see it must know. */
  alt: string;
  spec: TopLevelSpec;
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
  value: number;
  /** 95 % Wilson score interval. */
  interval?: Interval;
  /** Images. */
  n?: number;
  /** A mean over so many seeds, and their sample standard deviation. */
  seeds?: number;
  deviation?: number;
  /** Only this is known: the figure is below `value`. */
  below?: boolean;
}

/** One figure of the paper beside ours. */
export interface Comparison {
  id: string;
  /** Where the paper prints it, such as "Table 1". */
  place: string;
  name: string;
  format: Format;
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
  processor: string;
  cores: number;
  memoryGibibytes: number;
  system: string;
  node: string;
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

export interface ExperimentResult {
  /** Name in the registry, such as "width". */
  experiment: string;
  title: string;
  /** One paragraph: what is asked and how. */
  summary: string;
  /** What was run: data, lengths, where; one sentence each. */
  statements: string[];
  comparisons: Comparison[];
  tables: Table[];
  charts: Chart[];
  pictures: Picture[];
  seeds: number[];
  environments: Environment[];
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
