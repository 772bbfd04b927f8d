/** `fer-cudnn experiment`: the paper's experiments and their report, here or as a job array elsewhere. */
import path from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_DEVICE, DEVICE_NAMES, resolveDevice, type Device } from '../device.js';
import type { LabelledImages } from '../data/data-set.js';
import { resolveOptions, type ExperimentOptions, type OptionName } from '../experiments/options.js';
import { EXPERIMENTS } from '../experiments/registry.js';
import type { RunOptions, RunOutcome } from '../experiments/run/run.js';
import { FerError } from '../errors.js';
import type { Report } from '../report/result.js';
import { givenOptions, inFlags, optionFlag, type OptionFlags } from './experiment-flags.js';
import { interruptible, INTERRUPTED } from './interrupt.js';
import { addLoadFlags, deviceOf, loadOptions, READING_FLAGS, wholeNumberOf, type DataFlags } from './options.js';
import { flagOf } from './training-flags.js';
import { note, noteData, print } from './output.js';
import { duration, table } from '../plain-text.js';
import { shellWord } from '../quoting.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn experiment data --data fer2013.csv
  $ fer-cudnn experiment robustness --data fer2013.csv --models package runs/wide/model.safetensors
  $ fer-cudnn experiment width --data fer2013.csv --dry-run            what would run, and for how long
  $ fer-cudnn experiment width --data fer2013.csv --epochs narrow=100,wide=2 --out experiments/width
  $ fer-cudnn experiment width --data fer2013.csv --presets paper clean --reuse runs/paper-narrow
  $ fer-cudnn experiment hyperparameters --data fer2013.csv --grid grid.yaml --seeds 0 1 2
  $ fer-cudnn experiment all --data fer2013.csv --epochs-scale 0.05    everything at a twentieth of the length

The same command with the same --out goes on where a stopped or killed run left off, and what is finished is not run
again. Results are in <out>/report: report.html (one file, opens offline), report.md, and a folder an experiment with
its result as JSON, CSV, Markdown, SVG and PNG. A report says at which length everything was run.

A grid names points, or lists what to combine, or both:
  base: { preset: paper, width: wide }
  points:
    C1: { batchSize: 40, learningRate: 0.01, epochs: 100 }
  combine:
    batchSize: [15, 40]
    learningRate: [0.01, 0.001]

On a cluster: --emit writes a job array over <out>, one cell a job; when its jobs have run, --collect makes the report.
  $ fer-cudnn experiment all --data fer2013.csv --out experiments/all --emit slurm
  $ sbatch experiments/all/job.slurm
  $ fer-cudnn experiment all --out experiments/all --collect

Ctrl-C once finishes the running steps and saves; twice stops at once.`;

interface ExperimentFlags extends DataFlags, OptionFlags {
  out: string;
  report?: string;
  devices?: Device[];
  threads: number;
  dryRun?: boolean;
  emit?: 'slurm' | 'kubernetes';
  collect?: boolean;
  cell?: string[];
  reuse?: string[];
  image?: string;
  claim?: string;
}

export function experimentCommand(): Command {
  const command = new Command('experiment')
    .description("Runs the paper's experiments, each figure beside the paper's, and makes one report of them.")
    .addHelpText('after', EXAMPLES);
  for (const { name, summary, options } of EXPERIMENTS) command.addCommand(subCommand(name, [name], summary, options));
  const names = EXPERIMENTS.map(({ name }) => name);
  const every = [...new Set(EXPERIMENTS.flatMap(({ options }) => options))];
  return command.addCommand(subCommand('all', names, `${names.join(', ')}, and one report of them all`, every));
}

function subCommand(name: string, experiments: string[], summary: string, options: readonly OptionName[]): Command {
  const command = new Command(name)
    .summary(summary)
    .description(`Experiment ${name}: ${summary}.`)
    .option('--data <path>', 'data set [the synthetic faces]')
    .option('--out <folder>', 'folder to work in, and to go on in', path.join('experiments', name))
    .option('--report <folder>', 'where the report goes [report in the folder of --out]')
    .option('--dry-run', 'print the cells and the time they will take, measured by a few steps, and run none');
  for (const option of options) command.addOption(optionFlag(option));
  if (options.includes('epochs'))
    command.option('--reuse <folder...>', 'finished training runs to take over instead of training the same again');
  addLoadFlags(command);
  command
    .optionsGroup('Devices:')
    .option(
      '--devices <name...>',
      `each works on one cell at a time, on two if it is named twice: ${DEVICE_NAMES} [${DEFAULT_DEVICE}]`,
      (text, before: Device[] | undefined): Device[] => [...(before ?? []), deviceOf(text)],
    )
    .addOption(
      new Option('--threads <n>', 'CPU threads of each device; 0: one a core')
        .default(0, '0')
        .argParser(wholeNumberOf('--threads', 0, 1024)),
    )
    .optionsGroup('On a cluster:')
    .addOption(new Option('--emit <form>', 'write a job array, one cell a job, and run nothing').choices(['slurm', 'kubernetes']))
    .option('--cell <id...>', 'run only these cells, by id or by number, and make no report')
    .option('--collect', 'make the report of the cells that have run')
    .option('--image <name>', 'container image of --emit kubernetes')
    .option('--claim <name>', 'volume claim that its pods share, mounted at /shared');
  return command
    .addHelpText('after', '\n"fer-cudnn experiment --help" has examples.')
    .action((flags: ExperimentFlags) => experiment(name, experiments, flags));
}

async function experiment(name: string, experiments: string[], flags: ExperimentFlags): Promise<void> {
  const modes = [flags.dryRun && '--dry-run', flags.emit && '--emit', flags.collect && '--collect', flags.cell && '--cell'].filter(Boolean);
  if (modes.length > 1) throw new FerError('ERR_FER_USAGE', `${modes.join(' and ')} do not go together`);
  const { ExperimentFolder } = await import('../experiments/run/folder.js');
  if (flags.collect) return collect(flags);
  const given = await givenOptions(flags);
  const plan = await ExperimentFolder.planOf(flags.out);
  const options = await checkedOptions(experiments, { ...plan?.options, ...given });
  const dataPath = flags.data ?? plan?.data;
  if (flags.emit) return emit(name, experiments, given, dataPath, flags);

  const { loadDataSet } = await import('../data/registry.js');
  const data = await loadDataSet(dataPath, await loadOptions(flags, options.inputSize));
  noteData(data, dataPath);
  if (flags.dryRun) return dryRun(experiments, data, options, flags);
  const outcome = await run(experiments, data, { ...given, dataPath }, flags);
  if (outcome.aborted) {
    note(`saved in ${flags.out}; the same command goes on`);
    process.exitCode = INTERRUPTED;
  } else if (flags.cell === undefined) await report(outcome, flags);
}

async function run(experiments: string[], data: LabelledImages, given: Partial<RunOptions>, flags: ExperimentFlags): Promise<RunOutcome> {
  const [{ runExperiments }, { experimentProgress }] = await Promise.all([
    import('../experiments/run/run.js'),
    import('./experiment-progress.js'),
  ]);
  const view = experimentProgress();
  const { out: folder, devices, threads, cell: only, reuse } = flags;
  try {
    return await interruptible('finishing the running steps and saving; Ctrl-C again stops at once', (signal) =>
      runExperiments(experiments, data, {
        ...{ ...given, folder, devices, threads, only, reuse, signal },
        onProgress: (now) => view.progress(now),
        onCell: (cell, seconds) => view.cell(cell, seconds),
      }),
    );
  } finally {
    view.end();
  }
}

/** @throws {FerError} ERR_FER_USAGE, naming the flag, before anything is loaded or written. */
async function checkedOptions(experiments: string[], given: Partial<ExperimentOptions>): Promise<ExperimentOptions> {
  const { plannedCells } = await import('../experiments/run/plan.js');
  return inFlags(async () => {
    const options = resolveOptions(given);
    await plannedCells(experiments, options);
    return options;
  });
}

async function dryRun(experiments: string[], data: LabelledImages, options: ExperimentOptions, flags: ExperimentFlags): Promise<void> {
  const { estimateExperiments } = await import('../experiments/run/plan.js');
  const { devices = [], threads } = flags;
  const estimates = await estimateExperiments(experiments, data, options, { device: devices[0], threads });
  print(table([['cell', '', 'estimated'], ...estimates.map(({ id, title, seconds }) => [id, title, duration(seconds)])]));
  const total = estimates.reduce((sum, { seconds }) => sum + seconds, 0);
  const places = Math.max(devices.length, 1);
  print(
    `\n${estimates.length} cells, about ${duration(total / places)} on ${places === 1 ? 'one device' : `${places} devices`}; nothing was run`,
  );
}

async function emit(
  name: string,
  experiments: string[],
  given: Partial<ExperimentOptions>,
  data: string | undefined,
  flags: ExperimentFlags,
): Promise<void> {
  const reading = READING_FLAGS.filter((key) => flags[key] !== undefined).map(flagOf);
  if (reading.length > 0)
    throw new FerError('ERR_FER_USAGE', `--emit and ${reading.join(', ')} do not go together: jobs read the data as they are`);
  const [{ ExperimentFolder }, { plannedCells }, { kubernetesJob, slurmJob }, { writeFileAtomic }] = await Promise.all([
    import('../experiments/run/folder.js'),
    import('../experiments/run/plan.js'),
    import('../experiments/run/jobs.js'),
    import('../atomic-file.js'),
  ]);
  const { plan } = await ExperimentFolder.open(flags.out, experiments, given, data);
  const cells = (await plannedCells(experiments, plan.options)).map(({ id }) => id);
  const device = flags.devices?.[0] ?? resolveDevice({}).device;
  const job = { name, plan, folder: flags.out, cells, device, threads: flags.threads };
  const kubernetes = flags.emit === 'kubernetes';
  if (kubernetes && (flags.image === undefined || flags.claim === undefined))
    throw new FerError(
      'ERR_FER_USAGE',
      '--emit kubernetes needs --image, which holds fer-cudnn, and --claim, the volume that its pods share',
    );
  const text = kubernetes
    ? kubernetesJob({ ...job, folder: path.posix.join('/shared', name) }, flags.image!, flags.claim!)
    : await inFlags(() => slurmJob({ ...job, folder: path.resolve(flags.out) }, [process.execPath, path.resolve(process.argv[1])]));
  const file = path.join(flags.out, kubernetes ? 'job.yaml' : 'job.slurm');
  await writeFileAtomic(file, text);
  note(`${cells.length} cells; submit them with: ${kubernetes ? 'kubectl apply -f' : 'sbatch'} ${shellWord(file)}`);
  print(file);
}

async function collect(flags: ExperimentFlags): Promise<void> {
  const { collectExperiments } = await import('../experiments/run/collect.js');
  const found = await collectExperiments(flags.out);
  await report(found, flags);
  if (found.missing.length === 0) return;
  note(`${found.missing.length} cells have not run yet: ${found.missing.join(', ')}`);
  process.exitCode = 1;
}

async function report(found: Report, flags: ExperimentFlags): Promise<void> {
  const [{ writeReport }, { figure, difference }] = await Promise.all([import('../report/write.js'), import('../report/format.js')]);
  const files = await writeReport(found, flags.report ?? path.join(flags.out, 'report'));
  const comparisons = found.results.flatMap((result) => result.comparisons);
  if (comparisons.length > 0)
    print(
      `${table([
        ['figure', 'paper', 'ours', 'difference'],
        ...comparisons.map((each) => [each.name, figure(each.paper, each.format), figure(each.ours, each.format), difference(each)]),
      ])}\n`,
    );
  print(`report    ${files.html}`);
  print(`markdown  ${files.markdown}`);
}
