/** `fer-cudnn evaluate`: the figures of a model on one split of a data set. */
import path from 'node:path';
import { Command } from 'commander';
import type { LabelledImages } from '../data/data-set.js';
import { reportedSplit, splitNames } from '../data/splits.js';
import { FerError } from '../errors.js';
import type { EvaluatedOverlap } from '../evaluate/evaluate.js';
import { thousands } from '../plain-text.js';
import { addDeviceFlags, addLoadFlags, addModelFlag, loadOptions, wholeNumberOf, type DataFlags, type DeviceFlags } from './options.js';
import { modelFileOf } from '../pretrained.js';
import { note, noteData, noteDevice, print } from './output.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn evaluate --data fer2013.csv                         the package's narrow model on PrivateTest
  $ fer-cudnn evaluate --data fer2013.csv --split PublicTest --model runs/wide/model.safetensors
  $ fer-cudnn evaluate --data fer2013.csv --model fer2013_mini_XCEPTION.102-0.66.hdf5 --json
  $ fer-cudnn evaluate --data fer2013.csv --flip --out report/    figures and charts into a folder
  $ fer-cudnn evaluate --data ck+48/ --split Training             other classes: figures over those in common

The table gives precision, recall and F1 of each class and their averages; then accuracy with its 95 % Wilson interval
and n, macro one-against-rest ROC-AUC, mean cross-entropy, and the expected calibration error over 15 bins; then the
confusion matrix, true classes down. In the JSON every figure is a fraction, such as "accuracy": 0.6573.
Images of another size than the model's input are resized, bilinear. Classes are matched by name, "anger" with "angry"; those
that only data or model have are listed and left out.`;

interface EvaluateFlags extends DataFlags, DeviceFlags {
  model: string;
  split?: string;
  inputSize?: number;
  flip?: boolean;
  json?: boolean;
  out?: string;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('Evaluates a model (.safetensors, or a Keras .hdf5 of Mini_XCEPTION) on one split of a data set.')
    .option('--data <path>', 'data set [the synthetic faces]')
    .option('--split <name>', 'which split [PrivateTest, or Test where the two are one]')
    .option('--input-size <pixels>', "side of the network's input [the model's own]", wholeNumberOf('--input-size', 16, 512))
    .option('--flip', 'average each image with its mirror image')
    .option('--json', 'JSON instead of tables')
    .option('--out <folder>', 'also write evaluation.json, report.txt and the confusion matrix as SVG and PNG');
  addLoadFlags(command);
  addModelFlag(command, 'model to evaluate');
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(evaluate);
}

async function evaluate(flags: EvaluateFlags): Promise<void> {
  const [{ MiniXception }, { readModelFile }, { loadDataSet }] = await Promise.all([
    import('../model.js'),
    import('../network/model-file.js'),
    import('../data/registry.js'),
  ]);
  const stored = await readModelFile(modelFileOf(flags.model));
  if (flags.inputSize) stored.metadata.inputSize = flags.inputSize;
  using model = await MiniXception.fromFile(stored, { device: flags.device, threads: flags.threads, precision: flags.precision });
  noteDevice(model);
  const data = await loadDataSet(flags.data, await loadOptions(flags, model.inputSize));
  noteData(data, flags.data);
  const split = splitOf(data, flags.split);
  const flip = flags.flip ?? false;
  const metrics = await model.evaluate(data, { split, flip });
  if (metrics.overlap) for (const line of overlapLines(metrics.overlap, metrics.n)) note(`note: ${line}`);
  const result = { model: flags.model, data: data.source, split, inputSize: model.inputSize, flip, ...metrics };

  const { formatConfusionMatrix, formatReport } = await import('../metrics/text.js');
  const tables = `${formatReport(metrics)}\n\n${formatConfusionMatrix(metrics)}`;
  const heading = `${path.basename(flags.model)} on ${split} of ${data.source}${flip ? ', averaged with mirror images' : ''}`;
  print(flags.json ? JSON.stringify(result, null, 2) : `${heading}\n\n${tables}`);
  if (flags.out === undefined) return;

  const [{ writeFileAtomic }, { confusionMatrixChart }, { writeChart }] = await Promise.all([
    import('../atomic-file.js'),
    import('../charts/charts.js'),
    import('../charts/write.js'),
  ]);
  await writeFileAtomic(path.join(flags.out, 'evaluation.json'), `${JSON.stringify(result, null, 2)}\n`);
  await writeFileAtomic(path.join(flags.out, 'report.txt'), `${heading}\n\n${tables}\n`);
  const charts = await writeChart(confusionMatrixChart(metrics), path.join(flags.out, 'confusion-matrix'));
  note(`wrote ${[path.join(flags.out, 'evaluation.json'), 'report.txt', ...charts.map((file) => path.basename(file))].join(', ')}`);
}

/** What the figures are over, where data and model have other classes. */
function overlapLines({ shared, onlyData, onlyNetwork, images }: EvaluatedOverlap, n: number): string[] {
  return [
    `the figures are over the ${shared.length} classes that data and model have in common: ${shared.join(', ')}; n = ${thousands(n)} of ${thousands(images)} images`,
    ...(onlyData.length > 0 ? [`only the data have ${onlyData.join(', ')}: these images are left out`] : []),
    ...(onlyNetwork.length > 0 ? [`only the model has ${onlyNetwork.join(', ')}: what it says for them is left out`] : []),
  ];
}

/** @throws {FerError} ERR_FER_USAGE for a split that the data set does not have. */
function splitOf(data: LabelledImages, given: string | undefined): string {
  const split = given ?? reportedSplit(data);
  if (split !== undefined && data.splits.has(split)) return split;
  const has = splitNames(data);
  throw new FerError(
    'ERR_FER_USAGE',
    split === undefined
      ? `${data.source} has neither PrivateTest nor Test; choose one of ${has} with --split`
      : `expected ${has}, got ${JSON.stringify(split)}, for --split`,
  );
}
