/** One line about a convenience that was left out. The work goes on; `process.on('warning')` hears of it. */
const said = new Set<string>();

/** Warns by Node's own way, once a process for each message. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  process.emitWarning(message, 'FerWarning');
}
