/** fer-cudnn predict */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Command, InvalidArgumentError, Option } from 'commander';
import { glob } from 'tinyglobby';
import type { Box } from '../data/image.js';
import { FerError } from '../errors.js';
import { percent } from '../metrics/text.js';
import { MiniXception, type Prediction } from '../model.js';
import { addDeviceOptions, addModelOption, modelPath, wholeNumber } from './options.js';

interface Flags {
  model?: string;
  box?: Box;
  flip: boolean;
  format: 'table' | 'json' | 'ndjson' | 'csv';
  top: number;
  batch: number;
  device: 'cpu';
  threads: number;
}

interface Outcome {
  image: string;
  prediction?: Prediction;
  error?: FerError;
}

const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?|avif|svg)$/i;

function boxArgument(text: string): Box {
  const [left, top, width, height, ...rest] = text.split(',').map(Number);
  if (rest.length || ![left, top, width, height].every(Number.isInteger)) throw new InvalidArgumentError('expected left,top,width,height in whole pixels.');
  return { left, top, width, height };
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Recognise the facial expression in pictures. Each picture should show one face that fills it, or be given a --box.')
    .argument('<images...>', 'pictures, folders, glob patterns, or - for one picture on standard input');
  addModelOption(command);
  command
    .option('-b, --box <left,top,width,height>', 'the face, in pixels of the picture', boxArgument)
    .option('--flip', 'average each picture with its mirror image', false)
    .addOption(new Option('-f, --format <name>', 'output').choices(['table', 'json', 'ndjson', 'csv']).default('table'))
    .option('-t, --top <n>', 'classes to list in the table', wholeNumber, 3)
    .option('--batch <n>', 'pictures at a time', wholeNumber, 64);
  return addDeviceOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ fer-cudnn predict face.jpg
  $ fer-cudnn predict portrait.jpg --box 412,180,240,240
  $ fer-cudnn predict photos/ 'more/**/*.png' --format csv > expressions.csv
  $ cat face.png | fer-cudnn predict - --format json

A picture that cannot be read is reported, the others go on, and the exit status is 1.`,
    )
    .action(run);
}

/** Files that the arguments name. */
async function expand(inputs: string[]): Promise<string[]> {
  const files: string[] = [];
  for (const input of inputs) {
    const kind = input === '-' ? undefined : await stat(input).catch(() => undefined);
    if (input === '-' || kind?.isFile()) files.push(input);
    else if (kind?.isDirectory()) {
      const found = (await readdir(input, { recursive: true })).filter((name) => PICTURE.test(name)).sort();
      if (found.length === 0) throw new FerError('ERR_FER_DATA_NOT_FOUND', `${input} holds no pictures`);
      files.push(...found.map((name) => path.join(input, name)));
    } else if (/[*?[{]/.test(input)) {
      const found = await glob(input, { absolute: path.isAbsolute(input) });
      if (found.length === 0) throw new FerError('ERR_FER_DATA_NOT_FOUND', `no file matches ${input}`);
      files.push(...found.sort());
    } else files.push(input); // reported below, beside the good ones
  }
  return files;
}

async function run(inputs: string[], flags: Flags): Promise<void> {
  if (flags.batch < 1 || flags.top < 1) throw new FerError('ERR_FER_USAGE', '--batch and --top must be at least 1');
  const files = await expand(inputs);
  using model = await MiniXception.load(modelPath(flags.model), flags);
  const write = writer(flags, model.classes);
  let failed = 0;
  for (let begin = 0; begin < files.length; begin += flags.batch) {
    const outcomes = await Promise.all(files.slice(begin, begin + flags.batch).map((file) => predictOne(model, file, flags)));
    for (const outcome of outcomes) {
      if (outcome.error) {
        failed++;
        console.error(`fer-cudnn: ${outcome.error.message} [${outcome.error.code}]`);
      }
      write.each(outcome);
    }
  }
  write.end();
  if (failed) process.exitCode = 1;
}

async function predictOne(model: MiniXception, file: string, flags: Flags): Promise<Outcome> {
  try {
    return { image: file, prediction: await model.predict(file === '-' ? await buffer(process.stdin) : file, flags) };
  } catch (error) {
    if (error instanceof FerError) return { image: file, error };
    throw error;
  }
}

function writer({ format, top }: Flags, classes: readonly string[]): { each(outcome: Outcome): void; end(): void } {
  const json = ({ image, prediction, error }: Outcome): object => ({ image, ...prediction, ...(error ? { error: { code: error.code, message: error.message } } : {}) });
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  switch (format) {
    case 'json': {
      const all: object[] = [];
      return { each: (outcome) => void all.push(json(outcome)), end: () => console.log(JSON.stringify(all, null, 2)) };
    }
    case 'ndjson':
      return { each: (outcome) => console.log(JSON.stringify(json(outcome))), end: () => undefined };
    case 'csv':
      console.log(['image', 'label', 'probability', ...classes].map(quoted).join());
      return {
        each({ image, prediction: p }) {
          if (p) console.log([quoted(image), quoted(p.label), p.probability.toFixed(6), ...classes.map((name) => p.probabilities[name].toFixed(6))].join());
        },
        end: () => undefined,
      };
    default:
      return {
        each({ image, prediction: p }) {
          if (!p) return;
          const best = Object.entries(p.probabilities).sort((a, b) => b[1] - a[1]).slice(0, top);
          console.log(`${image}  ${best.map(([name, value]) => `${name} ${percent(value)}`).join('  ')}`);
        },
        end: () => undefined,
      };
  }
}
