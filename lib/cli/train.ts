/** fer-cudnn train */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import cliProgress from 'cli-progress';
import { Command, Option } from 'commander';
import { parse as parseYaml } from 'yaml';
import { loadDataSet } from '../data/registry.js';
import type { LabelledImages } from '../data/data-set.js';
import { FerError } from '../errors.js';
import { formatConfusionMatrix, formatReport, percent } from '../metrics/text.js';
import { MiniXception } from '../model.js';
import { OPTIONS, resolveConfig, type TrainingConfig } from '../training/config.js';
import type { TrainingProgress, TrainingResult } from '../training/loop.js';
import { PRESETS } from '../training/presets.js';
import { RunFolder, type EpochRow } from '../training/run-folder.js';
import { addDataOptions, addDeviceOptions } from './options.js';

interface Flags extends Record<string, unknown> {
  data?: string;
  skipBadRows: boolean;
  cache: boolean;
  device: 'cpu' | 'cuda';
  threads: number;
  config?: string;
  out?: string;
  resume?: string;
}

const flagName = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train a network, choose its best epoch on PublicTest, and report PrivateTest once.')
    .option('-c, --config <file>', 'options from a YAML or JSON file; flags override it')
    .option('-o, --out <folder>', 'run folder, new or empty (default: runs/<time>-<preset>-<width>)')
    .option('-r, --resume <folder>', 'go on with an interrupted run, as if it had never stopped');
  addDataOptions(command, 'FER2013 (.csv, .csv.gz), an image folder or .parquet (default: procedural faces)');
  addDeviceOptions(command);
  command.optionsGroup('Training options (flags and keys of --config):');
  for (const [key, option] of Object.entries(OPTIONS)) {
    const value = option.kind === 'boolean' ? '' : option.kind === 'choice' ? ' <name>' : option.kind === 'width' ? ' <width>' : ' <n>';
    const flag = new Option(`${flagName(key)}${value}`, `${option.help} (default: ${option.default})`);
    if (option.kind === 'integer' || option.kind === 'number') flag.argParser((text) => (text.trim() === '' ? text : Number(text)));
    command.addOption(flag);
    if (option.kind === 'boolean') command.addOption(new Option(`--no-${flagName(key).slice(2)}`).hideHelp());
  }
  const presets = Object.entries(PRESETS).map(([name, { describe, options }]) => {
    const values = Object.entries(options).map(([key, value]) => `${key} ${value}`);
    return `  ${name}: ${describe}\n    ${values.join(', ')}`;
  });
  return command
    .addHelpText(
      'after',
      `
Presets (--preset; other options override theirs):
${presets.join('\n')}

Examples:
  $ fer-cudnn train
  $ fer-cudnn train --data fer2013.csv.gz --preset clean --out runs/clean
  $ fer-cudnn train --data fer2013.csv.gz --preset paper --width wide --batch-size 15
  $ fer-cudnn train --resume runs/clean

Ctrl-C finishes the step, saves, and tells how to resume; a second Ctrl-C stops at once.`,
    )
    .action((flags: Flags) => run(command, flags));
}

function readConfigFile(file: string): Record<string, unknown> {
  try {
    const value: unknown = parseYaml(readFileSync(file, 'utf8')); // JSON is YAML
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('expected keys and values');
    return value as Record<string, unknown>;
  } catch (cause) {
    throw new FerError('ERR_FER_CONFIG', `${file} cannot be used: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
}

function given(command: Command, flags: Flags): Record<string, unknown> {
  return Object.fromEntries(Object.keys(OPTIONS).flatMap((key) => (command.getOptionValueSource(key) === 'cli' ? [[key, flags[key]]] : [])));
}

async function run(command: Command, flags: Flags): Promise<void> {
  const overrides = { ...(flags.config ? readConfigFile(flags.config) : {}), ...given(command, flags) };
  let config: TrainingConfig;
  let source = flags.data;
  let folder = flags.out;
  if (flags.resume !== undefined) {
    if (Object.keys(overrides).length || flags.out)
      throw new FerError('ERR_FER_USAGE', 'a resumed run keeps its own options and folder; leave out --config, --out and training options');
    const { progress } = (await RunFolder.open(flags.resume)).checkpoint;
    config = progress.config;
    source ??= progress.dataSource === 'synthetic faces' ? undefined : progress.dataSource;
    folder = flags.resume;
  } else {
    if (source !== undefined && overrides.preset === undefined) overrides.preset = 'clean';
    config = resolveConfig(overrides);
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
    folder ??= path.join('runs', `${time}-${config.preset}-${config.width.replace(/[,:]/g, '_')}`);
  }

  const data = await loadDataSet(source === undefined ? undefined : path.resolve(source), { size: config.inputSize, skipBadRows: flags.skipBadRows, cache: flags.cache });
  for (const { line, reason } of data.badRows) console.error(`skipped line ${line}: ${reason}`);
  using model = MiniXception.create({ width: config.width as 'narrow', classes: data.classes, inputSize: config.inputSize, device: flags.device, threads: flags.threads, seed: config.seed });
  describe(data, model, config, folder);

  const { preset, width: _width, inputSize: _inputSize, ...options } = config;
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(130);
    console.error('\nstopping after this step (Ctrl-C again: at once)');
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const display = process.stderr.isTTY ? barDisplay(config) : lineDisplay(config);
  let result: TrainingResult;
  try {
    result = await model.fit(data, { preset, ...options, runFolder: folder, resume: flags.resume !== undefined, signal: stop.signal, onProgress: display.onProgress, onEpoch: display.onEpoch });
  } finally {
    display.close();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  if (result.aborted) {
    console.error(`stopped and saved; go on with: fer-cudnn train --resume ${folder}`);
    process.exitCode = 130;
    return;
  }
  report(result, data, folder);
}

function describe(data: LabelledImages, model: MiniXception, config: TrainingConfig, folder: string): void {
  const counts = [...data.splits].map(([name, rows]) => `${name} ${rows.length.toLocaleString('en')}`).join(', ');
  console.error(`data      ${data.source} (${counts})`);
  for (const note of data.notes) console.error(`          ${note}`);
  console.error(`network   ${config.width}, ${model.parameterCount.toLocaleString('en')} parameters, ${config.inputSize}x${config.inputSize}; ${model.deviceDescription}`);
  console.error(`training  preset ${config.preset}: ${config.epochs} epochs, batch ${config.batchSize}, ${config.optimizer}, learning rate ${config.learningRate}, ${config.schedule}`);
  console.error(`folder    ${folder}`);
}

function epochLine(row: EpochRow, config: TrainingConfig): string {
  return (
    `epoch ${String(row.epoch).padStart(String(config.epochs).length)}/${config.epochs}  ` +
    `train loss ${row.trainLoss.toFixed(4)} accuracy ${percent(row.trainAccuracy)}  ` +
    `validation loss ${row.validationLoss.toFixed(4)} accuracy ${percent(row.validationAccuracy)}  ` +
    `${row.seconds.toFixed(1)} s, ${Math.round(row.imagesPerSecond).toLocaleString('en')} img/s`
  );
}

interface Display {
  onProgress?: (progress: TrainingProgress) => void;
  onEpoch: (row: EpochRow) => void;
  close(): void;
}

function lineDisplay(config: TrainingConfig): Display {
  return { onEpoch: (row) => console.error(epochLine(row, config)), close: () => undefined };
}

const clock = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;

function barDisplay(config: TrainingConfig): Display {
  const bar = new cliProgress.SingleBar({
    format: `epoch {epoch}/${config.epochs} [{bar}] {value}/{total} steps  loss {loss}  accuracy {accuracy}  {rate} img/s  {left} left`,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  let active = false;
  const close = (): void => {
    if (active) bar.stop();
    active = false;
  };
  return {
    onProgress(p) {
      const payload = {
        epoch: p.epoch,
        loss: p.loss.toFixed(4),
        accuracy: percent(p.accuracy),
        rate: Math.round(p.imagesPerSecond).toLocaleString('en'),
        left: clock(p.secondsLeft),
      };
      if (!active) bar.start(p.steps, p.step, payload);
      active = true;
      bar.update(p.step, payload);
    },
    onEpoch(row) {
      close();
      console.error(epochLine(row, config));
    },
    close,
  };
}

function report(result: TrainingResult, data: LabelledImages, folder: string): void {
  for (const note of result.notes) console.log(`note: ${note}`);
  const { evaluation, evaluatedSplit, chosen } = result;
  if (evaluation) {
    console.log(`\n${evaluatedSplit} of ${data.name}, weights of epoch ${chosen.epoch} (${result.config.selectBy === 'best' ? 'best on validation' : 'the last'}):\n`);
    console.log(formatReport(evaluation));
    console.log(`\n${formatConfusionMatrix(evaluation)}`);
  }
  console.log(`\nwritten to ${folder}: model.safetensors, metrics.jsonl, metrics.csv, curves.svg and .png${evaluation ? ', confusion-matrix.svg and .png, evaluation.json, report.txt' : ''}`);
  const model = path.join(folder, 'model.safetensors');
  console.log(`try it:  fer-cudnn predict --model ${model} <image>\n         fer-cudnn evaluate --model ${model}${data.synthetic ? '' : ` --data ${data.source}`}`);
}
