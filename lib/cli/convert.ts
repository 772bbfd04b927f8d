/** `fer-cudnn convert`: a Keras checkpoint becomes a model file of this package. */
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { FerError } from '../errors.js';
import { widthName } from '../network/width.js';
import { wholeNumberOf } from './options.js';
import { print } from './output.js';
import { thousands } from '../plain-text.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn convert fer2013_mini_XCEPTION.102-0.66.hdf5 keras.safetensors
  $ fer-cudnn evaluate --model keras.safetensors --data fer2013.csv

"evaluate", "predict" and "info" read a Keras file as it is; converting makes it load faster and keeps the
metadata beside the weights. The file's own model_config is read: whatever differs from Mini_XCEPTION is refused by
the layer's name, and of any width and number of modules all is taken as it is.`;

interface ConvertFlags {
  inputSize?: number;
  force?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('Reads a Keras hdf5 checkpoint of Mini_XCEPTION (or a model file of this package) and writes safetensors.')
    .argument('<source>', 'Keras .hdf5 or .h5 file')
    .argument('<target>', 'file to write, ending in .safetensors')
    .option('--input-size <pixels>', "side of the input to note in the file [the source's own]", wholeNumberOf('--input-size', 16, 512))
    .option('--force', 'overwrite the target')
    .addHelpText('after', EXAMPLES)
    .action(convert);
}

async function convert(source: string, target: string, flags: ConvertFlags): Promise<void> {
  if (!target.endsWith('.safetensors'))
    throw new FerError('ERR_FER_USAGE', `expected a name ending in .safetensors, got ${JSON.stringify(target)}, for the target`);
  const exists = await stat(target).then(
    () => true,
    () => false,
  );
  if (exists && !flags.force) throw new FerError('ERR_FER_USAGE', `${target} exists; --force overwrites it`);
  const { readModelFile, writeModelFile } = await import('../network/model-file.js');
  const file = await readModelFile(source);
  if (flags.inputSize) file.metadata.inputSize = flags.inputSize;
  await writeModelFile(target, file);
  const { width, classes, inputSize } = file.metadata;
  const values = [...file.tensors.values()].reduce((sum, tensor) => sum + tensor.data.length, 0);
  print(
    `${target}: ${widthName(width)}, ${classes.length} classes, input ${inputSize}x${inputSize}, ${thousands(values)} values in ${file.tensors.size} tensors`,
  );
}
