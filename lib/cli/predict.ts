/** `fer-cudnn predict`: what expression is on these faces? */
import { Command, Option } from 'commander';
import { FerError } from '../errors.js';
import { mustBePiped, standardInput, STDIN } from './inputs.js';
import { addDeviceFlags, addModelFlag, boxOf, numberOf, usageError, wholeNumberOf } from './options.js';
import { expandAll, Failures } from './failures.js';
import type { ClipFlags } from './predict-clip.js';
import { modelFileOf } from '../pretrained.js';
import { CLIP } from '../video/frames.js';
import { note, noteDevice } from './output.js';
import { FORMATS, predictionWriter, type Outcome } from './prediction-formats.js';
import type { Prediction } from '../predict/prediction.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn predict face.jpg
  $ fer-cudnn predict photo.jpg --box 120,80,200,200             the face is only a part of the picture
  $ fer-cudnn predict photos/ --format csv > photos.csv          every picture in a folder and below
  $ fer-cudnn predict 'photos/**/*.{jpg,png}' --format ndjson    a pattern, quoted so that the shell leaves it alone
  $ fer-cudnn predict photo.jpg --faces -o named.jpg             every face on a photograph, boxed and named
  $ fer-cudnn predict clip.mp4 --faces -o timeline.svg           a face over time (needs ffmpeg on the PATH)
  $ curl -s https://example.org/face.png | fer-cudnn predict -   standard input

The network expects a face that fills the picture. --faces finds the faces first, turns each upright and answers for each; no face is an
answer, too. It needs a package that does not come with this one, and one line says which; where that is installed, up to 16 pictures are
also looked over without --faces, with a note where there is none. JPEG, PNG, WebP,
GIF, AVIF, TIFF and SVG of any size and colour are read. A picture that cannot be read is reported on standard error,
the others go on, and the exit status is 1.`;

interface PredictFlags extends ClipFlags {
  batchSize: number;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Recognises the expression on each picture.')
    .argument('<input...>', 'pictures, folders, quoted patterns, or - for standard input')
    .option('--box <x,y,width,height>', "the face's place in each picture, pixels [the whole picture]", boxOf)
    .option('--flip', 'average each picture with its mirror image')
    .option('--faces', 'find the faces on each picture, and answer for each')
    .option('--min-confidence <share>', 'how sure a face must be, 0 to 1 [0.5]', numberOf('--min-confidence'))
    .option(
      '-o, --out <path>',
      'with --faces: picture to write, the faces boxed and named; of several, a folder. Of a clip: a chart, .svg or .png',
    )
    .option('--frames', 'the pictures are frames of one clip, in their order')
    .addOption(
      new Option('--fps <n>', 'of a clip: frames a second to look at; with --frames: how many there are')
        .default(5)
        .argParser(numberOf('--fps')),
    )
    .addOption(
      new Option('--smooth <s>', 'of a clip: seconds over which answers are averaged; 0: not at all')
        .default(1)
        .argParser(numberOf('--smooth')),
    )
    .addOption(new Option('--top <n>', 'how many classes to show').default(3).argParser(wholeNumberOf('--top', 1, 1000)))
    .addOption(new Option('--format <format>', 'table, json, ndjson (one object a line) or csv').choices(FORMATS).default('table'))
    .addOption(new Option('--batch-size <n>', 'pictures at a time').default(64).argParser(wholeNumberOf('--batch-size', 1, 4096)));
  addModelFlag(command, 'model to ask');
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(predict);
}

const CONSTANT = 'all pixels are equal: the picture shows no face, and the answer means nothing';
const NO_FACE = 'no face was found on it: the answer may mean nothing';
/** Less sure than for --faces: a face is doubted only where next to nothing speaks for it. */
const DOUBT = 0.3;
/** Pictures that are looked over at most: each takes longer than its answer. */
const LOOKED_OVER = 16;

type Doubt = (pixels: Uint8Array) => Promise<string | undefined>;
interface Doubts extends AsyncDisposable {
  doubt: Doubt;
}

/** A network always answers; that there is no face to see, it does not say. Where faces can be found, a few pictures are looked over. */
async function doubts(size: number, pictures: number): Promise<Doubts> {
  const constant = (pixels: Uint8Array): string | undefined => (pixels.every((value) => value === pixels[0]) ? CONSTANT : undefined);
  const nothing = { doubt: async (pixels: Uint8Array) => constant(pixels), [Symbol.asyncDispose]: async () => undefined };
  if (pictures > LOOKED_OVER) return nothing;
  try {
    const [{ faceFinder }, { showsFace }] = await Promise.all([import('../faces/finder.js'), import('../faces/shows-face.js')]);
    const finder = faceFinder({ minConfidence: DOUBT });
    const doubt: Doubt = async (pixels) => constant(pixels) ?? ((await showsFace(finder, pixels, size)) ? undefined : NO_FACE);
    return { doubt, [Symbol.asyncDispose]: () => finder.close() };
  } catch (error) {
    if (error instanceof FerError && error.code === 'ERR_FER_PACKAGE_MISSING') return nothing;
    throw error;
  }
}

async function seen(image: string, prediction: Prediction, pixels: Uint8Array, doubt: Doubt): Promise<Outcome> {
  const remark = await doubt(pixels);
  if (remark === undefined) return { image, prediction };
  note(`note: ${image}: ${remark}`);
  return { image, prediction, note: remark };
}

async function predict(inputs: string[], flags: PredictFlags): Promise<void> {
  if (inputs.filter((input) => input === STDIN).length > 1) throw new FerError('ERR_FER_USAGE', 'standard input (-) can be named once');
  if (inputs.includes(STDIN)) mustBePiped();
  if (flags.frames || inputs.some((input) => CLIP.test(input))) {
    if (!(flags.fps > 0 && flags.fps <= 1000)) throw usageError('--fps', 'a number above 0, up to 1000', String(flags.fps));
    if (!(flags.smooth >= 0)) throw usageError('--smooth', 'seconds from 0', String(flags.smooth));
    return (await import('./predict-clip.js')).predictClip(inputs, flags);
  }
  if (flags.faces) return (await import('./predict-faces.js')).predictFaces(inputs, flags);
  if (flags.out !== undefined) throw new FerError('ERR_FER_USAGE', '--out goes with --faces');
  const [{ MiniXception }, { decodeImage }] = await Promise.all([import('../model.js'), import('../data/image.js')]);
  using model = await MiniXception.load(modelFileOf(flags.model), {
    device: flags.device,
    threads: flags.threads,
    precision: flags.precision,
  });
  noteDevice(model);

  const failures = new Failures();
  const { images, missing } = await expandAll(inputs, failures);
  const writer = predictionWriter(flags.format, {
    classes: model.classes,
    top: Math.min(flags.top, model.classes.length),
    nameWidth: Math.max(0, ...images.map((image) => image.length)),
  });
  for (const outcome of missing) writer.write(outcome);
  const size = model.inputSize;
  await using doubting = await doubts(size, images.length);
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
    for (const [i, result] of decoded.entries())
      writer.write(
        result.status === 'fulfilled'
          ? await seen(batch[i], predictions[next++], result.value, doubting.doubt)
          : failures.of(batch[i], result.reason),
      );
  }
  writer.end();
  failures.tell(images.length + missing.length);
}
