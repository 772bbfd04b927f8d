/** Who follows a training, as flags. */
import type { Command } from 'commander';
import type { Tracker } from '../training/fit.js';
import { usageError } from './options.js';

export interface TrackingFlags {
  json?: boolean;
  tensorboard?: string | true;
  mlflow?: string | true;
  mlflowExperiment?: string;
}

/** `--json`, `--tensorboard`, `--mlflow`. */
export function addTrackingFlags(command: Command): Command {
  return command
    .option('--json', 'progress and result as JSON lines on standard output, for other programs')
    .option('--tensorboard [folder]', 'event files for TensorBoard [in the run folder]')
    .option(
      '--mlflow [address]',
      'track on an MLflow server [MLFLOW_TRACKING_URI]; MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD, are sent',
    )
    .option('--mlflow-experiment <name>', 'experiment of the run there [MLFLOW_EXPERIMENT_NAME, or fer-cudnn]');
}

/**
 * MLflow first: whether it answers is known before anything is written.
 * @throws {FerError} ERR_FER_USAGE
 */
export async function trackersOf({ tensorboard, mlflow: address, mlflowExperiment }: TrackingFlags): Promise<Tracker[]> {
  const trackers: Tracker[] = [];
  if (address !== undefined) {
    const uri = address === true ? process.env.MLFLOW_TRACKING_URI : address;
    if (!uri) throw usageError('--mlflow', 'an address, or MLFLOW_TRACKING_URI set', uri ?? '');
    if (!/^https?:\/\/\S+$/.test(uri)) throw usageError('--mlflow', 'an address such as http://localhost:5000', uri);
    const experiment = mlflowExperiment ?? (process.env.MLFLOW_EXPERIMENT_NAME || undefined);
    // As MLflow's own clients take them.
    const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = process.env;
    const { mlflow } = await import('../tracking/mlflow.js');
    trackers.push(mlflow({ uri, experiment, token, user, password }));
  } else if (mlflowExperiment !== undefined) throw usageError('--mlflow-experiment', '--mlflow beside it', mlflowExperiment);
  if (tensorboard !== undefined) {
    const { tensorBoard } = await import('../tracking/tensorboard.js');
    trackers.push(tensorBoard(tensorboard === true ? undefined : tensorboard));
  }
  return trackers;
}
