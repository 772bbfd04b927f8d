/** fer-cudnn evaluate */
import path from 'node:path';
import { Command } from 'commander';
import { writeFileAtomic } from '../atomic-file.js';
import { confusionMatrixChart } from '../charts/charts.js';
import { writeChart } from '../charts/write.js';
import { loadDataSet } from '../data/registry.js';
import { FerError } from '../errors.js';
import { formatConfusionMatrix, formatReport } from '../metrics/text.js';
import { MiniXception } from '../model.js';
import { addDataOptions, addDeviceOptions, addModelOption, modelPath } from './options.js';

interface Flags {
  model?: string;
  data?: string;
  skipBadRows: boolean;
  cache: boolean;
  split?: string;
  flip: boolean;
  json: boolean;
  out?: string;
  device: 'cpu';
  threads: number;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate').description("A model's figures on one split: table, confusion matrix, intervals.");
  addModelOption(command);
  addDataOptions(command, 'FER2013 (.csv, .csv.gz), an image folder or .parquet (default: procedural faces)');
  command
    .option('-s, --split <name>', 'split to evaluate (default: PrivateTest, or Test where there is none)')
    .option('--flip', 'average each image with its mirror image', false)
    .option('--json', 'print everything as JSON', false)
    .option('-o, --out <folder>', 'also write evaluation.json, report.txt and the confusion matrix as SVG and PNG');
  return addDeviceOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ fer-cudnn evaluate --data fer2013.csv.gz
  $ fer-cudnn evaluate --model runs/clean/model.safetensors --data fer2013.csv.gz --split PublicTest
  $ fer-cudnn evaluate --model fer2013_mini_XCEPTION.102-0.66.hdf5 --data fer2013.csv.gz --out figures`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const file = modelPath(flags.model);
  using model = await MiniXception.load(file, flags);
  const data = await loadDataSet(flags.data, { size: model.inputSize, skipBadRows: flags.skipBadRows, cache: flags.cache });
  const split = flags.split ?? (data.splits.has('PrivateTest') ? 'PrivateTest' : 'Test');
  if (!data.splits.has(split)) throw new FerError('ERR_FER_USAGE', `${data.source} has no split ${split}; it has ${[...data.splits.keys()].join(', ')}`);
  const metrics = await model.evaluate(data, { split, flip: flags.flip });
  const resized = data.size === model.inputSize ? '' : `, resized from ${data.size}x${data.size} to ${model.inputSize}x${model.inputSize} (bilinear)`;
  const heading = `${path.basename(file)} on ${split} of ${data.name}${resized}${flags.flip ? ', mirror images averaged in' : ''}`;
  const text = [heading, ...data.notes.map((note) => `note: ${note}`), '', formatReport(metrics), '', formatConfusionMatrix(metrics)].join('\n');
  const json = `${JSON.stringify({ model: path.basename(file), data: data.name, split, flip: flags.flip, ...metrics }, null, 2)}\n`;
  if (flags.json) process.stdout.write(json);
  else console.log(text);
  if (!flags.out) return;
  await writeFileAtomic(path.join(flags.out, 'evaluation.json'), json);
  await writeFileAtomic(path.join(flags.out, 'report.txt'), `${text}\n`);
  await writeChart(confusionMatrixChart(metrics), path.join(flags.out, 'confusion-matrix'));
  console.error(`written to ${flags.out}: evaluation.json, report.txt, confusion-matrix.svg and .png`);
}
