/** A card's facts from what lies beside a model: a run folder, a folder of the package, or nothing but the model. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FerError } from '../errors.js';
import { epochRow, METRICS } from '../metrics/schema.js';
import type { ModelMetadata } from '../network/metadata.js';
import { readRegular } from '../regular-file.js';
import { list, object, read, text, type Schema } from '../schema.js';
import type { CardFacts } from './card.js';
import { dataSummary } from './data-summary.js';

/** The author's own part of the card. */
export const ADDITION = 'card.md';

/** More than any of these files has. */
const MOST_BYTES = 64e6;

const evaluation = object({ split: text(), ...METRICS });

/**
 * Facts of the model in `file`, whose metadata these are.
 * @throws {FerError} ERR_FER_DATA_FORMAT for a file beside it that does not hold what it should
 */
export async function factsBeside(file: string, metadata: ModelMetadata): Promise<CardFacts> {
  const folder = path.dirname(file);
  const files = new Set(await readdir(folder).catch(() => []));
  const contents = async (name: string): Promise<string | undefined> =>
    files.has(name) ? Buffer.from(await readRegular(path.join(folder, name), { most: MOST_BYTES })).toString('utf8') : undefined;
  async function parsed<T>(
    name: string,
    schema: Schema<T>,
    toValue = (words: string): unknown => JSON.parse(words),
  ): Promise<T | undefined> {
    const words = await contents(name);
    if (words === undefined) return undefined;
    const fail = (reason: string): never => {
      throw new FerError('ERR_FER_DATA_FORMAT', `${path.join(folder, name)}: ${reason}`, { details: { file: path.join(folder, name) } });
    };
    let value: unknown;
    try {
      value = toValue(words);
    } catch {
      return fail('it is not JSON');
    }
    return read(schema, value, 'the file', fail);
  }
  const lines = (words: string): unknown => words.split('\n').filter(Boolean).map((line) => JSON.parse(line) as unknown); // prettier-ignore
  return {
    metadata,
    file: path.basename(file),
    files,
    data: await parsed('data.json', dataSummary),
    evaluation: await parsed('evaluation.json', evaluation),
    rows: await parsed('metrics.jsonl', list(epochRow), lines),
    addition: (await contents(ADDITION))?.trim(),
  };
}
