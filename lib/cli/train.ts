/** `fer-cudnn train`: a run from nothing to its report, or the rest of an interrupted one. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { bf16Hint } from '../device.js';
import { FerError } from '../errors.js';
import { modelFileOf } from '../pretrained.js';
import type { LabelledImages } from '../data/data-set.js';
import { native } from '../native.js';
import type { TrainingResult } from '../training/fit.js';
import type { ModelFile } from '../network/model-file.js';
import { percent, thousands } from '../plain-text.js';
import { shellWord } from '../quoting.js';
import { readConfigFile } from './config-file.js';
import { DATA_FORMS } from './data-forms.js';
import { interruptible, INTERRUPTED } from './interrupt.js';
import { addDeviceFlags, addLoadFlags, loadOptions, READING_FLAGS, type DataFlags, type DeviceFlags } from './options.js';
import { note, noteData, noteDevice, print } from './output.js';
import { addTrackingFlags, trackersOf, type TrackingFlags } from './tracking-flags.js';
import { addTrainingFlags, flagOf, givenTrainingOptions, resolveFlags } from './training-flags.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn train                                       drawn faces, preset quick: see it work first
  $ fer-cudnn train --data fer2013.csv                    FER2013, preset clean
  $ fer-cudnn train --data fer2013.csv --preset paper     the paper's protocol
  $ fer-cudnn train --data images/ --width wide --epochs 20 --run-dir runs/wide
  $ fer-cudnn train --data fer2013.csv --config mine.yaml --seed 2
  $ fer-cudnn train --data mine/ --from narrow --learning-rate 0.001     fine-tune
  $ fer-cudnn train --data fer2013.csv --teacher runs/wide/model.safetensors     a small network learns from a large one
  $ fer-cudnn train --data ck+48/ --split-by subject --from narrow --new-head     fine-tune for other classes
  $ fer-cudnn train --data fer2013.csv --tensorboard      then: tensorboard --logdir runs
  $ fer-cudnn train --resume runs/wide                    go on after Ctrl-C; the result is that of an unbroken run

What counts: the flag, then the configuration file, then the preset. A configuration file holds the same options under
their long names in camel case (epochs: 40, learningRate: 0.01); config.json of any run folder is one.

${DATA_FORMS}

Training learns from its Training split, chooses on PublicTest, and reports the test split once, at the end.

Ctrl-C once finishes the running step and saves; twice stops at once.`;

/** `LabelledImages.source` of the synthetic faces. */
const SYNTHETIC = 'synthetic faces';

interface TrainFlags extends DataFlags, DeviceFlags, TrackingFlags, Record<string, unknown> {
  config?: string;
  from?: string;
  newHead?: boolean;
  runDir?: string;
  resume?: string;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Trains a Mini_Xception and evaluates it. Without arguments: on drawn faces that come with the package.')
    .option('--data <path>', 'data set to learn from [the synthetic faces]')
    .option('--config <file>', 'YAML or JSON file of training options')
    .option('--out, --run-dir <folder>', 'new folder for checkpoints, metrics and charts [runs/<time>-<preset>]')
    .option(
      '--from <model>',
      'start from these weights, a file or a name as for predict --model, instead of random ones; they bring width and input size',
    )
    .option('--new-head', 'with --from, for data of other classes: keep these weights but for the last layer, which is drawn anew')
    .option('--resume <folder>', 'go on with the interrupted run in this folder');
  addTrackingFlags(command);
  addLoadFlags(command);
  addTrainingFlags(command);
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(train);
}

async function train(flags: TrainFlags, command: Command): Promise<void> {
  const given = givenTrainingOptions(flags);
  const trackers = await trackersOf(flags);
  const start = flags.resume === undefined ? await newRun(flags, given) : await oldRun(flags, flags.resume, given);
  const { config, runFolder, dataPath } = start;
  const [{ MiniXception }, { withNewHead }, { loadDataSet }, { networkOptions }] = await Promise.all([
    import('../model.js'),
    import('../network/network.js'),
    import('../data/registry.js'),
    import('../training/config.js'),
  ]);
  const data = await loadDataSet(dataPath, { ...(await loadOptions(flags, config.inputSize)), ...start.progress?.reading });
  noteData(data, dataPath);

  const { inputSize, precision } = config;
  const { device } = flags;
  const threadsGiven = command.getOptionValueSource('threads') !== 'default';
  // A run goes on with the threads that it began with: with others it would differ in its last digits.
  const threads = threadsGiven ? flags.threads : (start.progress?.threads ?? flags.threads);
  const classes = start.classes ?? data.classes;
  using model = start.weights
    ? await MiniXception.fromFile(flags.newHead ? await withNewHead(start.weights, classes, config.seed) : start.weights, {
        device,
        threads,
        precision,
      })
    : MiniXception.create(networkOptions(config, { classes: [...classes], device, threads }));
  noteDevice(model);
  note(
    `${config.width} network at ${inputSize}x${inputSize}: ${thousands(model.parameterCount)} parameters, ` +
      `${(model.multiplyAdds / 1e6).toFixed(1)} million multiply-adds an image, on ${model.deviceDescription}`,
  );
  const hint = bf16Hint(model, native().systemInfo().isa);
  if (hint && !start.progress) note(hint);
  note(`preset ${config.preset}, ${config.epochs} epochs, run folder ${runFolder}`);
  if (start.progress) {
    const { noteOnDevices, withDevice } = await import('../training/progress.js');
    for (const line of noteOnDevices(withDevice(start.progress, model.deviceDescription))) note(`note: ${line}`);
  }

  const { jsonLines, progressView } = await import('./progress.js');
  const view = flags.json ? jsonLines() : progressView(config.epochs);
  view.begin?.({ config, runFolder, data: data.source, parameters: model.parameterCount, device: model.deviceDescription });
  let result: TrainingResult;
  try {
    result = await interruptible('finishing the step and saving; Ctrl-C again stops at once', (signal) => {
      const { width: _width, inputSize: _inputSize, precision: _precision, ...options } = config;
      const run = start.progress ? { resume: true } : options;
      return model.fit(data, {
        ...run,
        runFolder,
        signal,
        trackers,
        onProgress: (now) => view.progress(now),
        onEpoch: (row) => view.epoch(row),
      });
    });
  } finally {
    view.end();
  }
  view.result?.(result);
  if (result.aborted) {
    note(`saved after ${result.rows.length} of ${config.epochs} epochs; go on with: fer-cudnn train --resume ${shellWord(runFolder)}`);
    process.exitCode = INTERRUPTED;
    return;
  }
  if (!flags.json) await printResult(result, data, runFolder);
}

/** A run's configuration and folder, from flags and files. */
async function newRun(flags: TrainFlags, given: Record<string, unknown>) {
  const base = flags.config === undefined ? {} : await readConfigFile(flags.config);
  let weights: ModelFile | undefined;
  let brought = {};
  if (flags.newHead && flags.from === undefined)
    throw new FerError('ERR_FER_USAGE', '--new-head goes with --from, which brings the weights that it is put on');
  if (flags.from !== undefined) {
    const extra = ['width', 'inputSize'].filter((key) => Object.hasOwn({ ...base, ...given }, key)).map(flagOf);
    if (extra.length > 0) throw new FerError('ERR_FER_USAGE', `--from brings its own width and input size; leave out ${extra.join(', ')}`);
    const [{ readModelFile }, { widthName }] = await Promise.all([import('../network/model-file.js'), import('../network/width.js')]);
    weights = await readModelFile(modelFileOf(flags.from));
    brought = { width: widthName(weights.metadata.width), inputSize: weights.metadata.inputSize };
  }
  const config = resolveFlags({ preset: flags.data === undefined ? 'quick' : 'clean', ...base, ...brought }, given);
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return {
    config,
    runFolder: flags.runDir ?? path.join('runs', `${time}-${config.preset}`),
    dataPath: flags.data,
    weights,
    classes: undefined,
    progress: undefined,
  };
}

async function oldRun(flags: TrainFlags, folder: string, given: Record<string, unknown>) {
  const extra = [
    ...Object.keys(given).map(flagOf),
    ...(flags.config === undefined ? [] : ['--config']),
    ...(flags.from === undefined ? [] : ['--from']),
    ...(flags.newHead ? ['--new-head'] : []),
    ...(flags.runDir === undefined ? [] : ['--run-dir']),
    // They are part of the run, as its configuration.
    ...READING_FLAGS.filter((key) => flags[key] !== undefined).map(flagOf),
  ];
  if (extra.length > 0)
    throw new FerError('ERR_FER_USAGE', `--resume goes on with the run's own configuration and folder; leave out ${extra.join(', ')}`);
  const { RunFolder } = await import('../training/run-folder.js');
  const { progress, metadata } = await RunFolder.read(folder);
  note(`resuming ${folder} after ${progress.epoch} of ${progress.config.epochs} epochs`);
  const dataPath = flags.data ?? (progress.dataSource === SYNTHETIC ? undefined : progress.dataSource);
  if (dataPath !== undefined && !existsSync(dataPath))
    throw new FerError('ERR_FER_DATA_NOT_FOUND', `the data set of this run, ${dataPath}, is not there; say where it is with --data`);
  return { config: progress.config, runFolder: folder, dataPath, progress, classes: metadata.classes, weights: undefined };
}

async function printResult(result: TrainingResult, data: LabelledImages, runFolder: string): Promise<void> {
  const { chosen, evaluation, evaluatedSplit } = result;
  for (const line of result.notes) if (!data.notes.includes(line)) note(`note: ${line}`);
  if (evaluation) {
    const { formatConfusionMatrix, formatReport } = await import('../metrics/text.js');
    print(`${evaluatedSplit} of ${data.source}, weights of epoch ${chosen.epoch} (validation accuracy ${percent(chosen.accuracy)})`);
    print(`\n${formatReport(evaluation)}\n\n${formatConfusionMatrix(evaluation)}\n`);
  } else print(`no test split to report on; epoch ${chosen.epoch} has validation accuracy ${percent(chosen.accuracy)}`);
  const inFolder = (name: string): string => path.join(runFolder, name);
  print(`curves            ${inFolder('curves.svg')}, .png`);
  if (evaluation) print(`confusion matrix  ${inFolder('confusion-matrix.svg')}, .png`);
  print(`card              ${inFolder('README.md')}`);
  print(`model             ${inFolder('model.safetensors')}`);
  print(`\nTry it: fer-cudnn predict <image> --model ${shellWord(inFolder('model.safetensors'))}`);
}
