/** Where words go: results to standard output, everything about the work in progress to standard error. */
import { thousands } from '../plain-text.js';
import type { LabelledImages } from '../data/data-set.js';

/** A result: one or more lines on standard output. */
export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A remark: one line on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Words of several lines in one. */
export const oneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');

/** What "auto" chose, where it was asked. */
export function noteDevice({ deviceChoice }: { deviceChoice: string }): void {
  if (deviceChoice) note(deviceChoice);
}

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
