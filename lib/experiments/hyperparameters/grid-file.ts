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
import { configError, isMap, readYamlMap } from '../../yaml-file.js';
import type { GridPoint } from './grid.js';

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

  const base = section(sections.base, 'base', fail);
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
  const points: GridPoint[] = Object.entries(section(sections.points, 'points', fail)).map(([name, options]) => {
    if (!/^[\w][\w.-]{0,63}$/.test(name)) fail(`points: expected a name of letters, digits, ".", "-" and "_", got ${JSON.stringify(name)}`);
    return { name, config: checked(`points.${name}`, { ...base, ...section(options, `points.${name}`, fail) }) };
  });
  const combine = section(sections.combine, 'combine', fail);
  for (const config of combinations(combine, fail)) {
    const name = Object.entries(config)
      .map(([key, value]) => `${key}-${String(value).replace(/[^\w.-]+/g, '_')}`)
      .join('-');
    points.push({ name, config: checked('combine', { ...base, ...config }) });
  }
  if (points.length === 0) fail('there is nothing to compare: neither points nor combine has an entry');
  if (points.length > LARGEST) fail(`expected at most ${LARGEST} points, got ${points.length}`);
  return points;
}

type Fail = (reason: string, details?: object) => never;

function section(value: unknown, place: string, fail: Fail): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isMap(value)) return fail(`expected options such as "batchSize: 40", got ${JSON.stringify(value)}, for ${place}`);
  return value;
}

function combinations(lists: Record<string, unknown>, fail: Fail): Record<string, unknown>[] {
  const entries = Object.entries(lists);
  if (entries.length === 0) return [];
  return entries.reduce<Record<string, unknown>[]>(
    (rows, [key, values]) => {
      if (!Array.isArray(values) || values.length === 0)
        return fail(`expected a list such as [15, 40], got ${JSON.stringify(values)}, for combine.${key}`);
      if (rows.length * values.length > LARGEST) return fail(`expected at most ${LARGEST} points, got more, for combine`);
      return rows.flatMap((row) => values.map((value: unknown) => ({ ...row, [key]: value })));
    },
    [{}],
  );
}
