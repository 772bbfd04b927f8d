/** Maps from YAML files. YAML reads JSON too, so a file's name does not matter. */
import { readFile } from 'node:fs/promises';
import { FerError } from './errors.js';
import { isObject } from './json.js';

/** The error for something wrong in `file`. */
export function configError(file: string, reason: string, cause?: unknown, details: object = {}): FerError {
  return new FerError('ERR_FER_CONFIG', `${file}: ${reason}`, { cause, details: { file, ...details } });
}

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
  const { isAlias, isNode, isScalar, LineCounter, parseDocument, visit } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const failAt = (offset: number, reason: string, cause?: unknown): never => {
    const { line, col } = lines.linePos(offset);
    throw configError(file, `line ${line}, column ${col}: ${reason}`, cause, { line });
  };
  // What cannot be understood is not guessed at: a tag or a list as a key is only warned of by the parser.
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) failAt(problem.pos[0], problem.message.split('\n')[0], problem);
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || node.anchor) failAt(node.range?.[0] ?? 0, 'anchors and aliases are not read; write the value out');
    },
    Pair(_, { key }) {
      if (isNode(key) && !isScalar(key)) failAt(key.range?.[0] ?? 0, 'expected a name as the key');
    },
  });
  const map: unknown = document.toJS();
  if (!isObject(map)) throw configError(file, `expected ${expected}`);
  return map;
}
