/**
 * State dicts of PyTorch. Tensors have PyTorch's names and layout in this package, so that a module with the same members reads a model file
 * by name (examples/pytorch/mini_xception.py is one); here is what it takes to read what such a module saves.
 */
import { FER_CLASSES } from '../data/class-names.js';
import { FerError } from '../errors.js';
import { describeFile } from './description.js';
import type { ModelFile, ModelMetadata } from './metadata.js';
import type { Tensor } from './safetensors.js';

/** Names it by what wraps a module: "module." of DataParallel, "_orig_mod." of torch.compile, the member of another module. */
const FIRST = 'stem.conv1.weight';
const INPUT_SIZE = 48;

export const isStateDict = (tensors: ReadonlyMap<string, Tensor>): boolean => [...tensors.keys()].some((name) => name.endsWith(FIRST));

/**
 * The network whose tensors these are. Its form is theirs; names of seven classes are FER2013's, and the input is taken to be 48 pixels wide,
 * as nothing in the file says.
 * @throws {FerError} ERR_FER_MODEL_FORMAT, by name, where a tensor is missing or is none of Mini_Xception's
 */
export function fromStateDict(path: string, given: ReadonlyMap<string, Tensor>): ModelFile {
  const fail = (reason: string): never => {
    throw new FerError('ERR_FER_MODEL_FORMAT', `${path} is no state dict of Mini_Xception: ${reason}`, { details: { file: path, reason } });
  };
  const prefix = [...given.keys()].find((name) => name.endsWith(FIRST))!.slice(0, -FIRST.length);
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of given) tensors.set(name.startsWith(prefix) ? name.slice(prefix.length) : name, tensor);
  const outputs = (name: string): number => tensors.get(name)?.shape[0] ?? fail(`it has no tensor ${prefix}${name}`);
  const modules: number[] = [];
  while (tensors.has(`modules.${modules.length}.shortcut.weight`)) modules.push(outputs(`modules.${modules.length}.shortcut.weight`));
  const count = outputs('head.bias');
  const metadata: ModelMetadata = {
    width: { stem: [outputs(FIRST), outputs('stem.conv2.weight')], modules },
    classes: count === FER_CLASSES.length ? [...FER_CLASSES] : Array.from({ length: count }, (_, i) => `class ${i}`),
    inputSize: INPUT_SIZE,
    normalization: 'x/127.5-1',
    source: "imported from a PyTorch state dict, which says neither classes nor input size: FER2013's and 48 pixels are assumed",
  };
  const known = new Set(describeFile(path, metadata).tensors.map(({ name }) => name));
  const foreign = [...tensors.keys()].find((name) => !known.has(name));
  if (foreign !== undefined) fail(`it has a tensor ${foreign}, which the network has no layer for`);
  return { metadata, tensors };
}
