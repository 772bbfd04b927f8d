/** `fer-cudnn predict`: what expression is on these faces? */
import { Command, Option } from 'commander';
import type { Box } from '../data/image.js';
import { FerError } from '../errors.js';
import { expandInput, mustBePiped, standardInput, STDIN } from './inputs.js';
import { addDeviceFlags, addModelFlag, boxOf, wholeNumberOf, type DeviceFlags } from './options.js';
import { modelFileOf } from '../pretrained.js';
import { note, noteDevice } from './output.js';
import { FORMATS, predictionWriter, type Format, type Outcome } from './prediction-formats.js';
import type { Prediction } from '../predict/prediction.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn predict face.jpg
  $ fer-cudnn predict photo.jpg --box 120,80,200,200             the face is only a part of the picture
  $ fer-cudnn predict photos/ --format csv > photos.csv          every picture in a folder and below
  $ fer-cudnn predict 'photos/**/*.{jpg,png}' --format ndjson    a pattern, quoted so that the shell leaves it alone
  $ curl -s https://example.org/face.png | fer-cudnn predict -   standard input

The network expects a face that fills the picture: it recognises an expression, it does not find faces. JPEG, PNG, WebP,
GIF, AVIF, TIFF and SVG of any size and colour are read. A picture that cannot be read is reported on standard error,
the others go on, and the exit status is 1.`;

interface PredictFlags extends DeviceFlags {
  model: string;
  box?: Box;
  flip?: boolean;
  top: number;
  format: Format;
  batchSize: number;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Recognises the expression on each picture.')
    .argument('<input...>', 'pictures, folders, quoted patterns, or - for standard input')
    .option('--box <x,y,width,height>', "the face's place in each picture, pixels [the whole picture]", boxOf)
    .option('--flip', 'average each picture with its mirror image')
    .addOption(new Option('--top <n>', 'how many classes to show').default(3).argParser(wholeNumberOf('--top', 1, 1000)))
    .addOption(new Option('--format <format>', 'table, json, ndjson (one object a line) or csv').choices(FORMATS).default('table'))
    .addOption(new Option('--batch-size <n>', 'pictures at a time').default(64).argParser(wholeNumberOf('--batch-size', 1, 4096)));
  addModelFlag(command, 'model to ask');
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(predict);
}

/** A network always answers; that there is nothing to see, it does not say. */
function seen(image: string, prediction: Prediction, pixels: Uint8Array): Outcome {
  if (pixels.some((value) => value !== pixels[0])) return { image, prediction };
  const remark = 'all pixels are equal: the picture shows no face, and the answer means nothing';
  note(`note: ${image}: ${remark}`);
  return { image, prediction, note: remark };
}

async function predict(inputs: string[], flags: PredictFlags): Promise<void> {
  if (inputs.filter((input) => input === STDIN).length > 1) throw new FerError('ERR_FER_USAGE', 'standard input (-) can be named once');
  if (inputs.includes(STDIN)) mustBePiped();
  const [{ MiniXception }, { decodeImage }] = await Promise.all([import('../model.js'), import('../data/image.js')]);
  using model = await MiniXception.load(modelFileOf(flags.model), {
    device: flags.device,
    threads: flags.threads,
    precision: flags.precision,
  });
  noteDevice(model);

  const failures: { image: string; error: { code: string; message: string } }[] = [];
  const failed = (image: string, error: unknown): Outcome => {
    if (!(error instanceof FerError)) throw error;
    note(`fer-cudnn: ${error.message} [${error.code}]`);
    failures.push({ image, error: { code: error.code, message: error.message } });
    return failures[failures.length - 1];
  };
  const expanded = await Promise.allSettled(inputs.map(expandInput));
  const images = expanded.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  const missing = expanded.flatMap((result, i) => (result.status === 'rejected' ? [failed(inputs[i], result.reason)] : []));

  const writer = predictionWriter(flags.format, {
    classes: model.classes,
    top: Math.min(flags.top, model.classes.length),
    nameWidth: Math.max(0, ...images.map((image) => image.length)),
  });
  for (const outcome of missing) writer.write(outcome);
  const size = model.inputSize;
  for (let start = 0; start < images.length; start += flags.batchSize) {
    const batch = images.slice(start, start + flags.batchSize);
    const decoded = await Promise.allSettled(
      batch.map(async (image) => decodeImage(image === STDIN ? await standardInput() : image, { size, box: flags.box })),
    );
    const pixels = decoded.flatMap((result) =>
      result.status === 'fulfilled' ? [{ pixels: result.value, width: size, height: size }] : [],
    );
    const predictions = pixels.length > 0 ? await model.predict(pixels, { flip: flags.flip }) : [];
    let next = 0;
    decoded.forEach((result, i) =>
      writer.write(result.status === 'fulfilled' ? seen(batch[i], predictions[next++], result.value) : failed(batch[i], result.reason)),
    );
  }
  writer.end();
  if (failures.length === 0) return;
  const total = images.length + missing.length;
  if (total > 1) note(`${failures.length} of ${total} could not be read`);
  process.exitCode = 1;
}
