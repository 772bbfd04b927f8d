#!/usr/bin/env node
/**
 * The command line: one file a sub-command, and here what they share: how errors are told and how the process ends.
 *
 * A sub-command loads when it is asked for, and the native core, sharp and vega when it runs, so that words come at once.
 */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { FerError, type FerErrorCode } from '../errors.js';
import { note } from './output.js';

const USAGE_CODES: readonly FerErrorCode[] = ['ERR_FER_USAGE', 'ERR_FER_CONFIG'];

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const VERSION_FLAGS = ['-V', '--version'];

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

/** In the order in which help lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./train.js')).trainCommand(),
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand(),
  predict: async () => (await import('./predict.js')).predictCommand(),
  explain: async () => (await import('./explain.js')).explainCommand(),
  perturb: async () => (await import('./perturb.js')).perturbCommand(),
  data: async () => (await import('./data.js')).dataCommand(),
  experiment: async () => (await import('./experiment.js')).experimentCommand(),
  convert: async () => (await import('./convert.js')).convertCommand(),
  info: async () => (await import('./info.js')).infoCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
};

/** The commands that a command line can be understood by: the one it names, none to print the version, or else all. */
function neededBy(words: readonly string[]): string[] {
  const named = words.find((word) => !word.startsWith('-'));
  if (named !== undefined && Object.hasOwn(COMMANDS, named)) return [named];
  return VERSION_FLAGS.includes(words[0]) ? [] : Object.keys(COMMANDS);
}

async function program(words: readonly string[]): Promise<Command> {
  const root = new Command('fer-cudnn')
    .description('Train, evaluate and run Mini_Xception, a small network that recognises facial expressions.')
    .version(version, VERSION_FLAGS.join(', '), 'print the version')
    .option('--debug', 'show the stack of an error')
    .helpOption('-h, --help', 'explain a command')
    .showSuggestionAfterError()
    .addHelpText('after', EXAMPLES);
  for (const command of await Promise.all(neededBy(words).map((name) => COMMANDS[name]()))) root.addCommand(command);
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
  note(`fer-cudnn: ${message.replace(/\s*\n\s*/g, ' ')} [${code}]`);
  if (debug) note(error instanceof Error ? stacks(error) : '');
  else if (!(error instanceof FerError)) note('This was not foreseen; --debug shows where it happened.');
  return USAGE_CODES.includes(code as FerErrorCode) ? 2 : 1;
}

function stacks(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacks(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

// A reader that has seen enough, such as head, closes the pipe: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await (await program(process.argv.slice(2))).parseAsync();
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--debug'));
}
