/** Values as words, the same in every text output. */
import { inPercent, thousands } from '../plain-text.js';
import type { Interval } from '../metrics/index.js';
import type { Column, Comparison, Figure, Format, Value } from './result.js';

const NONE = '–';

/** One value in words. Units that every row shares stand in the column's heading, see `heading`. */
export function shown(value: Value | undefined, format: Format): string {
  if (value === null || value === undefined) return NONE;
  if (Array.isArray(value)) return interval(value);
  if (typeof value !== 'number') return String(value);
  switch (format) {
    case 'count':
      return thousands(value);
    case 'percent':
      return inPercent(value);
    case 'seconds':
      return Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1);
    case 'millions':
      return (value / 1e6).toFixed(Math.abs(value) < 1e8 ? 2 : 0);
    case 'mebibytes':
      return (value / 2 ** 20).toFixed(1);
    default:
      return String(Number(value.toPrecision(4)));
  }
}

const UNITS: Partial<Record<Format, string>> = { percent: '%', interval: '%', seconds: 's', millions: 'million', mebibytes: 'MiB' };

/** A column's title with its unit. */
export function heading({ title, format }: Column): string {
  const unit = UNITS[format];
  return unit ? `${title}, ${unit}` : title;
}

export const isNumeric = (format: Format): boolean => format !== 'text';

export const interval = ([low, high]: Interval): string => `${inPercent(low)} to ${inPercent(high)}`;

/** "58.9 % (57.3 to 60.5, n = 3,589)", or "58.9 ± 0.4 % (5 seeds, n = 3,589)". */
export function figure(value: Figure | undefined, format: Format): string {
  if (!value) return 'not run';
  const unit = UNITS[format] ? ` ${UNITS[format]}` : '';
  const spread = value.deviation === undefined ? '' : ` ± ${shown(value.deviation, format)}`;
  const basis = [
    value.seeds !== undefined && `${value.seeds} seeds`,
    value.interval && interval(value.interval),
    value.n !== undefined && `n = ${thousands(value.n)}`,
  ].filter(Boolean);
  return `${value.below ? 'below ' : ''}${shown(value.value, format)}${spread}${unit}${basis.length > 0 ? ` (${basis.join(', ')})` : ''}`;
}

/** Ours minus the paper's: "+8.3 points", "−46.0 s". */
export function difference({ paper, ours, format }: Comparison): string {
  if (!ours) return NONE;
  const gap = ours.value - paper.value;
  const size = format === 'percent' ? inPercent(Math.abs(gap)) : shown(Math.abs(gap), format);
  const unit = format === 'percent' ? ' points' : UNITS[format] ? ` ${UNITS[format]}` : '';
  const sign = Number(size) === 0 ? '' : gap < 0 ? '−' : '+';
  return `${paper.below ? 'over ' : ''}${sign}${size}${unit}`;
}
