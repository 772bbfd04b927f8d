/** Where a run begins: with nothing, or where an interrupted one stood. */
import type { LabelledImages } from '../data/data-set.js';
import { FerError, invalidArgument } from '../errors.js';
import type { Network } from '../network/network.js';
import type { Tensor } from '../network/safetensors.js';
import { widthName } from '../network/width.js';
import { resolveConfig } from './config.js';
import type { TrainingConfig } from './options.js';
import { withDevice, type Progress } from './progress.js';
import { RunFolder, type Checkpoint } from './run-folder.js';
import { NO_TOTALS } from './trainer.js';

export interface Start {
  progress: Progress;
  folder?: RunFolder;
  /** The checkpoint's: the network's and the optimiser's. */
  tensors?: ReadonlyMap<string, Tensor>;
}

/** @throws {FerError} ERR_FER_CONFIG, ERR_FER_CHECKPOINT where `path` holds something. */
export async function newRun(
  network: Network,
  given: Partial<TrainingConfig>,
  path: string | undefined,
  { source, reading }: Pick<LabelledImages, 'source' | 'reading'>,
): Promise<Start> {
  const { width, inputSize } = network.metadata;
  const config = resolveConfig({ ...given, width: widthName(width), inputSize, precision: network.native.precision });
  const folder = path === undefined ? undefined : await RunFolder.create(path);
  const best = { epoch: 0, accuracy: -1 };
  return {
    folder,
    progress: {
      config,
      epoch: 0,
      totals: NO_TOTALS,
      steps: 0,
      schedule: {},
      rows: [],
      best,
      dataSource: source,
      reading,
      devices: [network.native.deviceDescription],
      threads: network.native.threads,
    },
  };
}

/** @throws {FerError} ERR_FER_CHECKPOINT where there is nothing to resume, or it trains another network than `network`. */
export async function resumedRun(network: Network, path: string | undefined): Promise<Start> {
  if (path === undefined) invalidArgument('runFolder', 'a folder to resume', path);
  const { run: folder, checkpoint } = await RunFolder.open(path);
  try {
    return resumedFrom(folder, checkpoint, network);
  } catch (error) {
    await folder.release();
    throw error;
  }
}

function resumedFrom(folder: RunFolder, checkpoint: Checkpoint, network: Network): Start {
  const { progress, tensors } = checkpoint;
  const { config } = progress;
  const { inputSize } = network.metadata;
  const width = widthName(network.metadata.width);
  const fail = (reason: string): never => {
    throw new FerError('ERR_FER_CHECKPOINT', `${folder.path} trains ${reason}`);
  };
  if (width !== config.width || inputSize !== config.inputSize)
    fail(`a ${config.width} network at ${config.inputSize} pixels, not ${width} at ${inputSize}`);
  const { classes } = network.metadata;
  if (classes.join() !== checkpoint.metadata.classes.join())
    fail(`for the classes ${checkpoint.metadata.classes.join(', ')}, not ${classes.join(', ')}`);
  const { precision } = network.native;
  if (precision !== config.precision) fail(`in ${config.precision}, not in ${precision}; give the model that precision`);
  progress.devices = withDevice(progress, network.native.deviceDescription);
  progress.threads = network.native.threads;
  return { folder, progress, tensors };
}
