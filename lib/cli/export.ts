/** `fer-cudnn export`: a model in a form that other programs run. */
import { stat } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { FerError } from '../errors.js';
import { INPUTS, OPSETS, type OnnxOptions } from '../onnx/options.js';
import { thousands } from '../plain-text.js';
import { modelFileOf, PRETRAINED_NAMES } from '../pretrained.js';
import { wholeNumberOf } from './options.js';
import { print } from './output.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn export narrow -o narrow.onnx                        the package's narrow model, one grey picture at a time
  $ fer-cudnn export model.safetensors -o model.onnx --dynamic-batch --softmax
  $ fer-cudnn export narrow -o web.onnx --input rgb --uint8       the bytes of a colour picture go in
  $ fer-cudnn export narrow -o small.onnx --fp16 --fold-batch-norm

The input is "pixel_values" [batch, channels, height, width], 0 (black) to 255 (white), a square of the model's size: cut the
face out and resize it first, as "predict" does. What brings pixels to -1..1 is in the graph, so nothing has to be normalised.
The output is "logits" or, with --softmax, "probabilities" [batch, classes]; the classes are in the file's metadata.
"predict", "evaluate" and the other commands read these files as they read .safetensors.`;

interface ExportFlags extends OnnxOptions {
  out: string;
  foldBatchNorm?: boolean;
  force?: boolean;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Writes a model as ONNX, which ONNX Runtime, browsers, phones and most other programs run.')
    .argument('<model>', `model to write: ${PRETRAINED_NAMES.join(' or ')}, which come with the package, or a file`)
    .requiredOption('-o, --out <file>', 'file to write, ending in .onnx')
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

async function exportModel(nameOrPath: string, { out, force, ...options }: ExportFlags): Promise<void> {
  if (!out.endsWith('.onnx')) throw new FerError('ERR_FER_USAGE', `expected a name ending in .onnx, got ${JSON.stringify(out)}, for --out`);
  const exists = await stat(out).then(
    () => true,
    () => false,
  );
  if (exists && !force) throw new FerError('ERR_FER_USAGE', `${out} exists; --force overwrites it`);
  const [{ readModelFile }, { encodeOnnx }, { writeFileAtomic }] = await Promise.all([
    import('../network/model-file.js'),
    import('../network/onnx.js'),
    import('../atomic-file.js'),
  ]);
  const file = await readModelFile(modelFileOf(nameOrPath));
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
