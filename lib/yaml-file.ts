/** Maps from YAML files. YAML reads JSON too, so a file's name does not matter. */
import { readFile } from 'node:fs/promises';
import { FerError } from './errors.js';

/** The error for something wrong in `file`. */
export function configError(file: string, reason: string, cause?: unknown, details: object = {}): FerError {
  return new FerError('ERR_FER_CONFIG', `${file}: ${reason}`, { cause, details: { file, ...details } });
}

export const isMap = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/**
 * @param expected what should stand there, for the error.
 * @throws {FerError} ERR_FER_CONFIG, naming the file and, for malformed text, line and column.
 */
export async function readYamlMap(file: string, expected: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw configError(file, `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = problem.linePos?.[0] ?? { line: 1, col: 1 };
    const reason = problem.message.split(' at line')[0].split('\n')[0];
    throw configError(file, `line ${line}, column ${col}: ${reason}`, problem, { line });
  }
  const map: unknown = document.toJS();
  if (!isMap(map)) throw configError(file, `expected ${expected}`);
  return map;
}
