/** `fer-cudnn convert`: a Keras checkpoint becomes a model file of this package. */
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { FerError } from '../errors.js';
import { widthName } from '../network/width.js';
import { usageError, wholeNumberOf } from './options.js';
import { note, print } from './output.js';
import { thousands } from '../plain-text.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn convert fer2013_mini_XCEPTION.102-0.66.hdf5 keras.safetensors
  $ fer-cudnn evaluate --model keras.safetensors --data fer2013.csv
  $ fer-cudnn convert mine.h5 mine.safetensors --classes angry,disgust,fear,happy,neutral,sad,surprise

A Keras file does not name its classes. Keras's flow_from_directory takes them by alphabet, as in the last line.

"evaluate", "predict" and "info" read a Keras file as it is; converting makes it load faster and keeps the
metadata beside the weights. The file's own model_config is read: whatever differs from Mini_XCEPTION is refused by
the layer's name, and of any width and number of modules all is taken as it is.`;

interface ConvertFlags {
  classes?: string[];
  inputSize?: number;
  force?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('Reads a Keras hdf5 checkpoint of Mini_XCEPTION (or a model file of this package) and writes safetensors.')
    .argument('<source>', 'Keras .hdf5 or .h5 file')
    .argument('<target>', 'file to write, ending in .safetensors')
    .option('--input-size <pixels>', "side of the input to note in the file [the source's own]", wholeNumberOf('--input-size', 16, 512))
    .option(
      '--classes <names>',
      "names of the classes in the order of the outputs, such as calm,tense [the source's own; of a Keras file with seven, FER2013's]",
      (text) => text.split(',').map((name) => name.trim()),
    )
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
  if (flags.classes) {
    const { classes: before, source: from } = file.metadata;
    file.metadata.classes = namesOf(flags.classes, before.length);
    file.metadata.source = `${from ? `${from}; ` : ''}classes named by hand, ${before.join(', ')} before`;
  }
  await writeModelFile(target, file);
  const { width, classes, inputSize } = file.metadata;
  const values = [...file.tensors.values()].reduce((sum, tensor) => sum + tensor.data.length, 0);
  if (file.metadata.source) note(`note: ${file.metadata.source}`);
  print(
    `${target}: ${widthName(width)}, ${classes.length} classes, input ${inputSize}x${inputSize}, ${thousands(values)} values in ${file.tensors.size} tensors`,
  );
}

/** @throws {FerError} ERR_FER_USAGE unless there is a different name for each of the model's outputs. */
function namesOf(names: string[], count: number): string[] {
  if (names.length === count && new Set(names).size === count && !names.includes('')) return names;
  throw usageError('--classes', `${count} different names, one an output`, names.join());
}
