/** The files of an experiment's folder: its plan, and what its cells found. */
import { environment } from '../../report/schema.js';
import { anything, by, exactly, list, maybe, object, oneOf, read, record, text, whole, yes, type Schema } from '../../schema.js';
import type { DataFacts } from '../data-facts.js';
import type { Cell, CellResult, Experiment } from '../experiment.js';
import { resolveOptions, type ExperimentOptions } from '../options.js';
import { EXPERIMENTS } from '../registry.js';
import { PLAN_FORMAT, type Plan } from './plan.js';

type Fail = (reason: string) => never;

const plan = object<Plan & { format: number }>({
  format: exactly(PLAN_FORMAT),
  experiments: list(oneOf(EXPERIMENTS.map(({ name }) => name)), 1),
  options: by((value): ExperimentOptions => resolveOptions(read(record(anything()), value, '', refuse))),
  data: maybe(text()),
});

export function readPlan(value: unknown, fail: Fail): Plan {
  const { format: _format, ...rest } = read(plan, value, '', fail);
  return rest;
}

const facts = object<DataFacts>({ name: text(), source: text(), synthetic: yes(), splits: record(whole()), size: whole(1) });

/** Which cell it was is the plan's to say; the file must agree. */
export function readCellResult(experiment: Experiment, cell: Cell, value: unknown, fail: Fail): CellResult {
  const schema = object<CellResult>({
    cell: object({ id: exactly(cell.id) }) as unknown as Schema<Cell>,
    found: experiment.found,
    environment: maybe(environment),
    reused: maybe(text()),
    data: facts,
  });
  return { ...read(schema, value, '', fail), cell };
}

function refuse(reason: string): never {
  throw new Error(reason);
}
