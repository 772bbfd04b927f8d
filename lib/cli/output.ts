/** Where words go: results to standard output, everything about the work in progress to standard error. */
import type { LabelledImages } from '../data/data-set.js';

/** A result: one or more lines on standard output. */
export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A remark: one line on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What "auto" chose, where it was asked. */
export function noteDevice({ deviceChoice }: { deviceChoice: string }): void {
  if (deviceChoice) note(deviceChoice);
}

/** Columns padded to their widest cell; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n');
}

/** 83.4 s, 4:07, 1:02:03. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** What was loaded, in one line, and what a reader should know about it. */
export function noteData(data: LabelledImages, given: string | undefined): void {
  const splits = [...data.splits].map(([name, rows]) => `${name} ${thousands(rows.length)}`).join(', ');
  note(
    `${given === undefined ? 'no --data given: using the synthetic faces' : `${data.name} ${data.source}`} (${splits}; ${data.size}x${data.size})`,
  );
  for (const line of data.notes) note(`note: ${line}`);
  const shown = data.badRows.slice(0, 20);
  for (const { line, reason } of shown) note(`  line ${line}: ${reason}`);
  if (shown.length < data.badRows.length) note(`  and ${thousands(data.badRows.length - shown.length)} more`);
}
