/** The results of a folder's experiments, from the cells that have finished. */
import type { Environment, Report } from '../../report/result.js';
import type { CellResult } from '../experiment.js';
import { loadExperiment } from '../registry.js';
import { ExperimentFolder } from './folder.js';

/** One result an experiment, from the cells that have finished. */
export async function collectResults(folder: ExperimentFolder): Promise<Report> {
  const { experiments, options } = folder.plan;
  const report: Report = { results: [], missing: [] };
  for (const name of experiments) {
    const experiment = await loadExperiment(name);
    const found: CellResult[] = [];
    const missing: string[] = [];
    for (const cell of experiment.cells(options)) {
      const id = `${name}/${cell.id}`;
      const result = await folder.readCell({ id, experiment, cell });
      if (result) found.push(result);
      else missing.push(id);
    }
    report.missing.push(...missing);
    if (found.length > 0)
      report.results.push({ experiment: name, ...experiment.collect(found, options), environments: differingEnvironments(found), missing });
  }
  return report;
}

function differingEnvironments(results: readonly CellResult[]): Environment[] {
  const environments = new Map<string, Environment>();
  for (const { environment: where } of results) if (where) environments.set(JSON.stringify(where), where);
  return [...environments.values()];
}

/** Result of the cells in a folder, whoever ran them; nothing is run. */
export async function collectExperiments(folder: string): Promise<Report> {
  return collectResults(await ExperimentFolder.existing(folder));
}
