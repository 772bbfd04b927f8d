/**
 * A grid of hyperparameters in a file: named points, every combination of lists, or both.
 *
 *   base: { preset: paper, width: wide }      # what all points share: any training option
 *   points:
 *     C1: { batchSize: 40, learningRate: 0.01, epochs: 100 }
 *   combine:                                  # every combination
 *     batchSize: [15, 40]
 *     learningRate: [0.01, 0.001]
 */
import { FerError } from '../../errors.js';
import { suggestion } from '../../suggestion.js';
import { resolveConfig } from '../../training/config.js';
import type { TrainingConfig } from '../../training/options.js';
import { configError, readYamlMap } from '../../yaml-file.js';
import { POINT_NAME, POINT_NAME_WORDS, type GridPoint } from './grid.js';

const SECTIONS = ['base', 'points', 'combine'];
const LARGEST = 1000;

/**
 * Reads a grid from a YAML (or JSON) file.
 * @throws {FerError} ERR_FER_CONFIG, naming the file, the place in it and the nearest known name.
 */
export async function readGrid(file: string): Promise<GridPoint[]> {
  const sections = await readYamlMap(file, `the sections ${SECTIONS.join(', ')}`);
  const fail: Fail = (reason, details = {}) => {
    throw configError(file, reason, undefined, details);
  };
  for (const key of Object.keys(sections))
    if (!SECTIONS.includes(key))
      fail(`unknown section ${JSON.stringify(key)}; did you mean ${JSON.stringify(suggestion(key, SECTIONS))}?`, { key });

  const { readSections } = await import('./grid-schema.js');
  const { base, points: named, combine } = readSections(sections, fail);
  const checked = (place: string, config: Record<string, unknown>): Partial<TrainingConfig> => {
    if (config.seed !== undefined) fail(`${place}: seeds are not part of a grid; give them with --seeds`, { key: 'seed' });
    try {
      // As every point is trained by preset paper unless it says otherwise, so it is checked.
      resolveConfig({ preset: 'paper', ...config });
    } catch (cause) {
      if (!(cause instanceof FerError)) throw cause;
      fail(`${place}: ${cause.message}`, cause.details);
    }
    return { preset: 'paper', ...config };
  };
  checked('base', base);
  const found: { place: string; point: GridPoint }[] = [];
  const add = (place: string, name: string, options: Record<string, unknown>): void => {
    if (!POINT_NAME.test(name)) fail(`${place}: expected ${POINT_NAME_WORDS}, got ${JSON.stringify(name)}`);
    const config = checked(place, { ...base, ...options });
    const twin = found.find(({ point }) => point.name === name);
    if (twin) fail(`${twin.place} and ${place} are one point, ${name}: each needs a name of its own`, { name });
    found.push({ place, point: { name, config } });
  };
  for (const [name, options] of Object.entries(named)) add(`points.${name}`, name, options);
  for (const options of combinations(combine, fail)) {
    const settings = Object.entries(options);
    const name = settings.map(([key, value]) => `${key}-${String(value).replace(/[^\w.-]+/g, '_')}`).join('-');
    add(`combine (${settings.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')})`, name, options);
  }
  if (found.length === 0) fail('there is nothing to compare: neither points nor combine has an entry');
  if (found.length > LARGEST) fail(`expected at most ${LARGEST} points, got ${found.length}`);
  return found.map(({ point }) => point);
}

type Fail = (reason: string, details?: object) => never;

/** Every combination of the lists. */
function combinations(lists: Record<string, unknown[]>, fail: Fail): Record<string, unknown>[] {
  const entries = Object.entries(lists);
  if (entries.length === 0) return [];
  return entries.reduce<Record<string, unknown>[]>(
    (rows, [key, values]) => {
      const twice = values.findIndex((value, i) => values.indexOf(value) !== i);
      if (twice >= 0) fail(`combine.${key}: expected values that differ, got ${JSON.stringify(values[twice])} twice`);
      if (rows.length * values.length > LARGEST) return fail(`expected at most ${LARGEST} points, got more, for combine`);
      return rows.flatMap((row) => values.map((value) => ({ ...row, [key]: value })));
    },
    [{}],
  );
}
