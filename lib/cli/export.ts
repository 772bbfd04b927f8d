/** `fer-cudnn export`: a model in a form that other programs run. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { FerError } from '../errors.js';
import type { ModelFile } from '../network/model-file.js';
import { INPUTS, OPSETS, type OnnxOptions } from '../onnx/options.js';
import { thousands } from '../plain-text.js';
import { modelFileOf, PRETRAINED_NAMES } from '../pretrained.js';
import { wholeNumberOf } from './options.js';
import { print } from './output.js';
import { flagOf } from './training-flags.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn export narrow -o narrow.onnx                        the package's narrow model, one grey picture at a time
  $ fer-cudnn export model.safetensors -o model.onnx --dynamic-batch --softmax
  $ fer-cudnn export narrow -o web.onnx --input rgb --uint8       the bytes of a colour picture go in
  $ fer-cudnn export narrow -o small.onnx --fp16 --fold-batch-norm
  $ fer-cudnn export runs/wide/model.safetensors -o my-model --layout huggingface

The input is "pixel_values" [batch, channels, height, width], 0 (black) to 255 (white), a square of the model's size: cut the
face out and resize it first, as "predict" does. What brings pixels to -1..1 is in the graph, so nothing has to be normalised.
The output is "logits" or, with --softmax, "probabilities" [batch, classes]; the classes are in the file's metadata.
"predict", "evaluate" and the other commands read these files as they read .safetensors.

--layout huggingface writes a folder for Hugging Face's hub and transformers.js: config.json, preprocessor_config.json,
model.safetensors, onnx/model.onnx (with --fp16 also onnx/model_fp16.onnx), and a card from what lies beside the model.`;

const LAYOUTS = ['onnx', 'huggingface'] as const;

interface ExportFlags extends OnnxOptions {
  out: string;
  layout: (typeof LAYOUTS)[number];
  force?: boolean;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Writes a model as ONNX, which ONNX Runtime, browsers, phones and most other programs run.')
    .argument('<model>', `model to write: ${PRETRAINED_NAMES.join(' or ')}, which come with the package, or a file`)
    .requiredOption('-o, --out <path>', 'file to write, ending in .onnx; a new folder with --layout huggingface')
    .addOption(new Option('--layout <name>', 'one ONNX file, or a folder for transformers.js').choices(LAYOUTS).default('onnx'))
    .option('--force', 'overwrite what is there')
    .optionsGroup('ONNX:')
    .option(
      '--opset <n>',
      `version of the operators, ${OPSETS.first} to ${OPSETS.last} [${OPSETS.default}]`,
      wholeNumberOf('--opset', OPSETS.first, OPSETS.last),
    ) // prettier-ignore
    .option('--fold-batch-norm', 'put batch norms into the weights of the convolutions before them')
    .option('--softmax', 'give probabilities instead of logits')
    .addOption(
      new Option('--input <channels>', 'channels of the input: grey, or rgb, made grey in the graph [grey]').choices(Object.keys(INPUTS)),
    ) // prettier-ignore
    .option('--uint8', 'take bytes instead of floats')
    .option('--dynamic-batch', 'take any number of pictures at once instead of one')
    .option('--fp16', 'weights and layers in half precision, for GPUs and small files; input and output stay as they are')
    .addHelpText('after', EXAMPLES)
    .action(exportModel);
}

async function exportModel(nameOrPath: string, { out, layout, force, ...options }: ExportFlags): Promise<void> {
  if (layout === 'onnx' && !out.endsWith('.onnx'))
    throw new FerError('ERR_FER_USAGE', `expected a name ending in .onnx, got ${JSON.stringify(out)}, for --out`);
  const given = Object.keys(options).filter((key) => FIXED.includes(key));
  if (layout === 'huggingface' && given.length > 0)
    throw new FerError('ERR_FER_USAGE', `transformers.js fixes the graph's input and output; leave out ${given.map(flagOf).join(', ')}`);
  const found = await stat(out).catch(() => undefined);
  const taken = found?.isDirectory() ? (await readdir(out)).length > 0 : found !== undefined;
  if (taken && !force) throw new FerError('ERR_FER_USAGE', `${out} exists; --force overwrites it`);
  const { readModelFile } = await import('../network/model-file.js');
  const source = modelFileOf(nameOrPath);
  const model = await readModelFile(source);
  if (layout === 'onnx') await writeOnnx(out, model, options);
  else await writeFolder(out, model, source, options);
}

/** What `--layout huggingface` leaves no choice of. */
const FIXED = ['softmax', 'input', 'uint8', 'dynamicBatch'];

async function writeOnnx(out: string, file: ModelFile, options: OnnxOptions): Promise<void> {
  const [{ encodeOnnx }, { writeFileAtomic }] = await Promise.all([import('../network/onnx.js'), import('../atomic-file.js')]);
  const bytes = await encodeOnnx(file, options);
  await writeFileAtomic(out, bytes);
  const { classes, inputSize } = file.metadata;
  const [batch, channels] = [options.dynamicBatch ? 'batch' : 1, INPUTS[options.input ?? 'grey']];
  print(
    `${out}: ONNX, opset ${options.opset ?? OPSETS.default}, ${thousands(bytes.length)} bytes; ` +
      `pixel_values [${batch}, ${channels}, ${inputSize}, ${inputSize}] ${options.uint8 ? 'uint8' : 'float32'}, 0..255 -> ` +
      `${options.softmax ? 'probabilities' : 'logits'} [${batch}, ${classes.length}]`,
  );
}

async function writeFolder(out: string, model: ModelFile, source: string, options: OnnxOptions): Promise<void> {
  const [{ writeHuggingFace }, { factsBeside }] = await Promise.all([
    import('../huggingface/layout.js'),
    import('../training/card-folder.js'),
  ]);
  const facts = await factsBeside(source, model.metadata);
  const files = await writeHuggingFace(out, model, facts, path.dirname(source), options);
  print(`${out}: ${files.join(', ')}`);
}
