/** `fer-cudnn info`: a model file, or this machine. */
import { stat } from 'node:fs/promises';
import os from 'node:os';
import { Command } from 'commander';
import { native } from '../native.js';
import { modelFileOf, PRETRAINED_NAMES } from '../pretrained.js';
import { widthName } from '../network/width.js';
import { print } from './output.js';
import { thousands } from '../plain-text.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn info                                  what this machine offers
  $ fer-cudnn info runs/wide/model.safetensors      width, classes, size, how it was trained
  $ fer-cudnn info fer2013_mini_XCEPTION.102-0.66.hdf5 --json`;

export function infoCommand(): Command {
  return new Command('info')
    .description('Without arguments: the machine and the native core. With a model file (.safetensors, Keras .hdf5): what is in it.')
    .argument('[model]', `model file, or ${PRETRAINED_NAMES.join(' or ')}`)
    .option('--json', 'JSON instead of lines')
    .addHelpText('after', EXAMPLES)
    .action(info);
}

async function info(model: string | undefined, flags: { json?: boolean }): Promise<void> {
  const facts = model === undefined ? systemFacts() : await modelFacts(model);
  if (flags.json) return print(JSON.stringify(facts, null, 2));
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    print(
      `${name.padEnd(width)}  ${typeof value === 'number' ? thousands(value) : typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
  }
}

function systemFacts(): Record<string, unknown> {
  const { isa, cores, compiler } = native().systemInfo();
  return {
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores,
    instructions: isa,
    memory: `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`,
    compiler,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    models: PRETRAINED_NAMES.join(', '),
  };
}

async function modelFacts(nameOrPath: string): Promise<Record<string, unknown>> {
  const file = modelFileOf(nameOrPath);
  const [{ MiniXception }, { readModelFile }] = await Promise.all([import('../model.js'), import('../network/model-file.js')]);
  const stored = await readModelFile(file);
  using network = await MiniXception.fromFile(stored);
  const { width, classes, inputSize, normalization, training, source } = stored.metadata;
  return {
    file,
    bytes: (await stat(file)).size,
    width: widthName(width),
    stem: width.stem,
    modules: width.modules,
    classes,
    inputSize,
    normalization,
    parameters: network.parameterCount,
    multiplyAdds: network.multiplyAdds,
    source,
    training,
  };
}
