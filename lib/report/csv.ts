/** A table as CSV (RFC 4180): raw values, an interval as two columns. */
import type { Table, Value } from './result.js';

export function toCsv({ columns, rows }: Table): string {
  const line = (cells: string[]): string => `${cells.join()}\n`;
  const names = columns.flatMap(({ key, format }) => (format === 'interval' ? [`${key}Low`, `${key}High`] : [key]));
  return [
    line(names.map(quoted)),
    ...rows.map((row) =>
      line(
        columns.flatMap(({ key, format }) => {
          const value = row[key];
          if (format !== 'interval') return [cell(value)];
          return Array.isArray(value) ? value.map(cell) : ['', ''];
        }),
      ),
    ),
  ].join('');
}

const cell = (value: Value | undefined): string => (value === null || value === undefined ? '' : quoted(String(value)));
const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
