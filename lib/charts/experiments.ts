/** The experiments' charts as Vega-Lite specifications: single views, so that a page can fit them to its width. */
import type { TopLevelSpec } from 'vega-lite';
import type { ChartSpec } from './spec.js';
import type { Interval } from '../metrics/index.js';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';
const SIZE = { width: 560, height: 300 };

export interface Curve {
  name: string;
  points: { x: number; y: number }[];
}

/** Lines over a common axis, one colour a name. */
export function curvesChart(curves: readonly Curve[], titles: { x: string; y: string }): ChartSpec {
  const values = curves.flatMap(({ name, points }) => points.map(({ x, y }) => ({ name, x, y })));
  return {
    $schema: SCHEMA,
    ...SIZE,
    data: { values },
    mark: { type: 'line', point: curves.some(({ points }) => points.length < 3), tooltip: true },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: titles.x, axis: { tickMinStep: 1, format: 'd' } },
      y: { field: 'y', type: 'quantitative', title: titles.y, scale: { zero: false } },
      color: { field: 'name', type: 'nominal', title: null, sort: curves.map(({ name }) => name), legend: { orient: 'top', columns: 3 } },
    },
  } satisfies TopLevelSpec;
}

export interface Estimate {
  name: string;
  /** Whose figure, such as "ours" or "paper". */
  source: string;
  value: number;
  interval?: Interval;
}

/** Fractions with their intervals, one row a name, one colour and shape a source. */
export function estimatesChart(estimates: readonly Estimate[], title: string): ChartSpec {
  const values = estimates.map(({ name, source, value, interval }) => ({
    name,
    source,
    value: value * 100,
    low: (interval?.[0] ?? value) * 100,
    high: (interval?.[1] ?? value) * 100,
  }));
  const names = [...new Set(values.map(({ name }) => name))];
  const sources = [...new Set(values.map(({ source }) => source))];
  return {
    $schema: SCHEMA,
    width: SIZE.width,
    height: { step: 26 },
    data: { values },
    encoding: {
      y: { field: 'name', type: 'nominal', sort: names, title: null, axis: { labelLimit: 220 } },
      yOffset: { field: 'source', sort: sources },
      color: { field: 'source', type: 'nominal', sort: sources, title: null, legend: { orient: 'top' } },
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { field: 'low', type: 'quantitative', title, scale: { zero: false, padding: 12 } }, x2: { field: 'high' } },
      },
      {
        mark: { type: 'point', filled: true, size: 70, tooltip: true },
        encoding: {
          x: { field: 'value', type: 'quantitative' },
          shape: { field: 'source', sort: sources, legend: null },
        },
      },
    ],
  } satisfies TopLevelSpec;
}

export interface BandPoint {
  /** Which curve. */
  name: string;
  x: number;
  value: number;
  interval?: Interval;
}

/** Shares over a strength: curves with their intervals as bands, and points laid over them. */
export function bandsChart(curves: readonly BandPoint[], overlay: readonly BandPoint[], titles: { x: string; y: string }): ChartSpec {
  const rows = (points: readonly BandPoint[]): object[] =>
    points.map(({ name, x, value, interval }) => ({
      name,
      x,
      value: value * 100,
      low: (interval?.[0] ?? value) * 100,
      high: (interval?.[1] ?? value) * 100,
    }));
  const names = [...new Set([...curves, ...overlay].map(({ name }) => name))];
  const x = { field: 'x', type: 'quantitative', title: titles.x, scale: { zero: false, nice: false, padding: 12 } } as const;
  const y = { field: 'value', type: 'quantitative', title: titles.y, scale: { domain: [0, 100] } } as const;
  return {
    $schema: SCHEMA,
    ...SIZE,
    encoding: {
      x,
      color: {
        field: 'name',
        type: 'nominal',
        sort: names,
        title: null,
        legend: { orient: 'top', columns: 2, labelLimit: 320, symbolOpacity: 1, symbolType: 'circle' },
      },
    },
    layer: [
      {
        data: { values: rows(curves) },
        mark: { type: 'area', opacity: 0.15 },
        encoding: { y: { field: 'low', type: 'quantitative', title: titles.y, scale: { domain: [0, 100] } }, y2: { field: 'high' } },
      },
      { data: { values: rows(curves) }, mark: { type: 'line', point: true, tooltip: true }, encoding: { y } },
      {
        data: { values: rows(overlay) },
        mark: { type: 'rule', opacity: 0.6 },
        encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      {
        data: { values: rows(overlay) },
        mark: { type: 'point', shape: 'diamond', filled: true, size: 80, tooltip: true },
        encoding: { y },
      },
    ],
  };
}

/** Fractions in the cells of a table, as numbers over colour. */
export function heatmapChart(
  cells: readonly { row: string; column: string; value: number }[],
  titles: { row: string; column: string; value: string },
): ChartSpec {
  const values = cells.map((cell) => ({ ...cell, value: cell.value * 100 }));
  const order = (key: 'row' | 'column'): string[] => [...new Set(cells.map((cell) => cell[key]))];
  return {
    $schema: SCHEMA,
    width: SIZE.width - 120,
    height: { step: 26 },
    data: { values },
    encoding: {
      x: { field: 'column', type: 'nominal', sort: order('column'), title: titles.column, axis: { labelAngle: 0, orient: 'top' } },
      y: { field: 'row', type: 'nominal', sort: order('row'), title: titles.row || null },
    },
    layer: [
      {
        mark: { type: 'rect', tooltip: true },
        encoding: {
          color: { field: 'value', type: 'quantitative', title: titles.value, scale: { domain: [0, 100], scheme: 'blues' }, legend: null },
        },
      },
      {
        mark: 'text',
        encoding: {
          text: { field: 'value', type: 'quantitative', format: '.1f' },
          color: { condition: { test: 'datum.value > 70', value: 'white' }, value: 'black' },
        },
      },
    ],
  } satisfies TopLevelSpec;
}
