/** A training configuration from a YAML or JSON file: option names as keys, as in a run folder's config.json. */
import { FerError } from '../errors.js';
import { resolveConfig } from '../training/config.js';
import { configError, readYamlMap } from '../yaml-file.js';

/**
 * The options that the file sets, checked.
 * @throws {FerError} ERR_FER_CONFIG, naming the file and, for malformed text, line and column.
 */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const options = await readYamlMap(file, 'options such as "epochs: 40", one a line');
  try {
    resolveConfig(options);
  } catch (cause) {
    if (!(cause instanceof FerError)) throw cause;
    throw configError(file, cause.message, cause, cause.details);
  }
  return options;
}
