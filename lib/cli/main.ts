#!/usr/bin/env node
/**
 * The command line: one file a sub-command, and here what they share: how errors are told and how the process ends.
 *
 * A sub-command loads when it is asked for, and the native core, sharp and vega when it runs, so that words come at once.
 */
import { Command, CommanderError } from 'commander';
import { FerError, type FerErrorCode } from '../errors.js';
import { packageVersion } from '../version.js';
import { note, oneLine } from './output.js';
import { watchReaders } from './readers.js';

const USAGE_CODES: readonly FerErrorCode[] = ['ERR_FER_USAGE', 'ERR_FER_CONFIG'];

const EXAMPLES = `
First steps:
  $ fer-cudnn train                          train on drawn faces, evaluate, write charts: a minute or two
  $ fer-cudnn predict face.jpg               ask the model that comes with the package
  $ fer-cudnn data info fer2013.csv          what is in a data set, and what is wrong with it
  $ fer-cudnn train --data fer2013.csv       a model for real faces
  $ fer-cudnn evaluate --data fer2013.csv --model runs/.../model.safetensors

Results go to standard output, progress and remarks to standard error.
Exit status: 0 done, 1 failed, 2 the command line or a configuration file is wrong, 130 interrupted.
"fer-cudnn help train" explains a command.`;

interface Listed {
  summary: string;
  /** As its own help has them. */
  args?: string;
  load(): Promise<Command>;
}

/** In the order in which help lists them. */
const COMMANDS: Readonly<Record<string, Listed>> = {
  train: { summary: 'train a network, evaluate it, write its run folder', load: async () => (await import('./train.js')).trainCommand() },
  evaluate: { summary: 'figures of a model on a data set', load: async () => (await import('./evaluate.js')).evaluateCommand() },
  predict: {
    summary: 'recognise the expression on pictures of faces',
    args: '<input...>',
    load: async () => (await import('./predict.js')).predictCommand(),
  },
  explain: {
    summary: 'show what on a face speaks for its expression',
    args: '<image>',
    load: async () => (await import('./explain.js')).explainCommand(),
  },
  perturb: {
    summary: 'a face turned, lit otherwise or spoilt',
    args: '<picture>',
    load: async () => (await import('./perturb.js')).perturbCommand(),
  },
  serve: { summary: 'answer over HTTP, with a page to play with', load: async () => (await import('./serve.js')).serveCommand() },
  data: { summary: 'look at a data set, or pack it', load: async () => (await import('./data.js')).dataCommand() },
  experiment: {
    summary: "run the paper's experiments and make their report",
    load: async () => (await import('./experiment.js')).experimentCommand(),
  },
  convert: {
    summary: 'Keras hdf5 to safetensors',
    args: '<source> <target>',
    load: async () => (await import('./convert.js')).convertCommand(),
  },
  export: {
    summary: 'a model as ONNX, for other programs',
    args: '<model>',
    load: async () => (await import('./export.js')).exportCommand(),
  },
  info: {
    summary: 'facts about a model file or this machine',
    args: '[model]',
    load: async () => (await import('./info.js')).infoCommand(),
  },
  doctor: { summary: 'check this installation', load: async () => (await import('./doctor.js')).doctorCommand() },
  bench: { summary: 'measure training and prediction speed', load: async () => (await import('./bench.js')).benchCommand() },
};

/** The command as far as help lists it. */
function listed(name: string, { summary, args }: Listed): Command {
  const command = new Command(name).summary(summary);
  return args === undefined ? command : command.arguments(args);
}

/** The command that a command line runs or asks about, if any. */
function namedIn(words: readonly string[]): string | undefined {
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  return first === 'help' ? second : first;
}

async function program(words: readonly string[]): Promise<Command> {
  const root = new Command('fer-cudnn')
    .description('Train, evaluate and run Mini_Xception, a small network that recognises facial expressions.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show the stack of an error')
    .helpOption('-h, --help', 'explain a command')
    .showSuggestionAfterError()
    .addHelpText('after', EXAMPLES);
  const named = namedIn(words);
  for (const [name, entry] of Object.entries(COMMANDS)) root.addCommand(name === named ? await entry.load() : listed(name, entry));
  settle(root);
  return root;
}

/** Every command, at any depth: errors are thrown instead of printed, and --debug may stand anywhere on the line. */
function settle(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  if (command.parent) command.option('--debug', 'show the stack of an error');
  for (const child of command.commands) settle(child);
}

/** Prints the error in one line and returns the exit status. */
function report(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) {
    // Help and version are thrown too, once printed. Help that nobody asked for means that a sub-command is missing.
    if (error.code === 'commander.help') return 2;
    if (error.exitCode === 0) return 0;
    const [first, ...rest] = error.message.replace(/^error: /, '').split('\n');
    note(`fer-cudnn: ${[first, ...rest.filter(Boolean)].join(' ')} [ERR_FER_USAGE]`);
    return 2;
  }
  const code = error instanceof FerError ? error.code : ((error as NodeJS.ErrnoException)?.code ?? 'unexpected');
  const message = error instanceof Error ? error.message : String(error);
  note(`fer-cudnn: ${oneLine(message)} [${code}]`);
  if (debug) note(error instanceof Error ? stacks(error) : '');
  else if (!(error instanceof FerError)) note('This was not foreseen; --debug shows where it happened.');
  return USAGE_CODES.includes(code as FerErrorCode) ? 2 : 1;
}

function stacks(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacks(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

// Instead of Node's own two lines.
process
  .removeAllListeners('warning')
  .on('warning', ({ name, message }) => note(name === 'FerWarning' ? `note: ${message}` : `${name}: ${message}`));

watchReaders();

try {
  await (await program(process.argv.slice(2))).parseAsync();
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--debug'));
}
