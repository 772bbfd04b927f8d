/** A training configuration from a YAML or JSON file: option names as keys, as in a run folder's config.json. */
import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { FerError } from '../errors.js';
import { resolveConfig } from '../training/config.js';

/**
 * The options that the file sets, checked. YAML reads JSON too, so the file's name does not matter.
 * @throws {FerError} ERR_FER_CONFIG, naming the file and, for malformed text, line and column.
 */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const fail = (reason: string, cause?: unknown, details: object = {}): never => {
    throw new FerError('ERR_FER_CONFIG', `${file}: ${reason}`, { cause, details: { file, ...details } });
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    return fail(`cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = problem.linePos?.[0] ?? { line: 1, col: 1 };
    fail(`line ${line}, column ${col}: ${problem.message.split(' at line')[0].split('\n')[0]}`, problem, { line });
  }
  const options: unknown = document.toJS();
  if (options === null || typeof options !== 'object' || Array.isArray(options)) fail('expected options such as "epochs: 40", one a line');
  try {
    resolveConfig(options as Record<string, unknown>);
  } catch (cause) {
    if (!(cause instanceof FerError)) throw cause;
    fail(cause.message, cause, cause.details);
  }
  return options as Record<string, unknown>;
}
