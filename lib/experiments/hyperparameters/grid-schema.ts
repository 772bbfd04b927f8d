/** The sections of a grid's file. A section, and a point, may be empty. */
import { anything, list, object, read, record } from '../../schema.js';

interface Sections {
  base: Record<string, unknown>;
  points: Record<string, Record<string, unknown>>;
  combine: Record<string, unknown[]>;
}

const options = record(anything(), 'options such as "batchSize: 40"');

const sections = object<Sections>({
  base: options,
  points: record(options, 'points such as "C1: { batchSize: 40 }"'),
  combine: record(list(anything(), 1, 'a list such as [15, 40]'), 'lists such as "batchSize: [15, 40]"'),
});

export function readSections(value: Record<string, unknown>, fail: (reason: string) => never): Sections {
  const filled = (part: unknown): unknown => part ?? {};
  const points = filled(value.points);
  const named =
    points === value.points && typeof points === 'object' && !Array.isArray(points)
      ? Object.fromEntries(Object.entries(points as object).map(([name, point]) => [name, filled(point)])) // prettier-ignore
      : points;
  return read(sections, { base: filled(value.base), points: named, combine: filled(value.combine) }, '', fail);
}
