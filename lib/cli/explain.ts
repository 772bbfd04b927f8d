/** `fer-cudnn explain`: what on this face speaks for the expression? */
import path from 'node:path';
import { Command, Option } from 'commander';
import type { Box } from '../data/image.js';
import { FerError } from '../errors.js';
import type { DrawOptions } from '../explain/draw.js';
import type { ExplanationMethod } from '../explain/explain.js';
import { mustBePiped, standardInput, STDIN } from './inputs.js';
import { addDeviceFlags, addModelFlag, boxOf, usageError, wholeNumberOf, type DeviceFlags } from './options.js';
import { modelFileOf } from '../pretrained.js';
import { note, print } from './output.js';
import { predictionWriter } from './prediction-formats.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn explain face.jpg                                    writes face.grad-cam.png beside it
  $ fer-cudnn explain face.jpg -o cam.png --class fear            what would speak for fear?
  $ fer-cudnn explain face.jpg --method guided-backprop           which pixels
  $ fer-cudnn explain photo.jpg --box 120,80,200,200 --layer modules.3 -o cam.webp
  $ fer-cudnn explain face.jpg --format json > map.json           the numbers

Methods: grad-cam marks the places that speak for the class, from violet to yellow; guided-backprop the pixels, red where a
brighter one would speak for it, blue where against it; guided-grad-cam the pixels of those places. Layers for Grad-CAM are
stem.1, stem.2 and modules.0 to the last; without --layer, the deepest one whose map is at least 10 pixels wide.`;

/** What the end of the output's name asks for. */
const PICTURES: Readonly<Record<string, DrawOptions['format']>> = { png: 'png', jpg: 'jpeg', jpeg: 'jpeg', webp: 'webp', avif: 'avif' };

interface ExplainFlags extends DeviceFlags {
  out?: string;
  method: ExplanationMethod;
  class?: string;
  layer?: string;
  box?: Box;
  model: string;
  side: number;
  format: 'table' | 'json';
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description('Draws what on a face speaks for the expression that the network sees, or for another one.')
    .argument('<image>', 'a picture, or - for standard input')
    .option('-o, --out <file>', "picture to write: .png, .jpg, .webp or .avif [the image's name with the method, as .png, beside it]")
    .addOption(
      new Option('--method <name>', 'how to explain').choices(['grad-cam', 'guided-backprop', 'guided-grad-cam']).default('grad-cam'),
    )
    .option('--class <name>', 'class to explain, by name or index [the predicted one]')
    .option('--layer <name>', 'where Grad-CAM looks [see below]')
    .option('--box <x,y,width,height>', "the face's place in the picture, pixels [the whole picture]", boxOf)
    .addOption(new Option('--side <pixels>', 'longer side of the picture').default(480).argParser(wholeNumberOf('--side', 16, 4096)))
    .addOption(
      new Option('--format <format>', 'what to print: table, or json with the map in numbers, and then a picture with -o only')
        .choices(['table', 'json'])
        .default('table'),
    );
  addModelFlag(command, 'model to ask');
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(explain);
}

async function explain(image: string, flags: ExplainFlags): Promise<void> {
  const out = outputOf(image, flags);
  if (image === STDIN) mustBePiped();
  const [{ MiniXception }, { drawExplanation }, { writeFileAtomic }] = await Promise.all([
    import('../model.js'),
    import('../explain/draw.js'),
    import('../atomic-file.js'),
  ]);
  using model = await MiniXception.load(modelFileOf(flags.model), { device: flags.device, threads: flags.threads });
  const { method, layer, box, side, format } = flags;
  const input = image === STDIN ? await standardInput() : image;
  const explanation = await model.explain(input, { method, class: classOf(flags.class, model.classes), layer, box });
  if (out) await writeFileAtomic(out.file, await drawExplanation(explanation, { side, format: out.format }));

  if (format === 'json') {
    const { prediction, size, scale, map, cam } = explanation;
    const seen = { image, method, class: explanation.class, layer: explanation.layer, prediction, size, scale, map: [...map] };
    print(JSON.stringify({ ...seen, cam: cam && { size: cam.size, values: [...cam.values] }, picture: out?.file }));
  } else {
    const writer = predictionWriter('table', { classes: model.classes, top: Math.min(3, model.classes.length), nameWidth: image.length });
    writer.write({ image, prediction: explanation.prediction });
    print(`${method} of ${explanation.class}${explanation.layer ? ` at ${explanation.layer}` : ''}: ${out?.file}`);
  }
  if (explanation.scale === 0) note(`note: nothing on this face speaks for ${explanation.class} at ${explanation.layer ?? 'the input'}`);
}

/** Where the picture goes; undefined where only numbers are asked for. */
function outputOf(image: string, { out, method, format }: ExplainFlags): { file: string; format: DrawOptions['format'] } | undefined {
  if (out === undefined) {
    if (format === 'json') return undefined;
    if (image === STDIN)
      throw new FerError('ERR_FER_USAGE', 'standard input has no name to call the picture after; say where it goes with -o');
    const { dir, name } = path.parse(image);
    return { file: path.join(dir, `${name}.${method}.png`), format: 'png' };
  }
  const ending = path.extname(out).slice(1).toLowerCase();
  if (!Object.hasOwn(PICTURES, ending)) throw usageError('--out', 'a name ending in .png, .jpg, .webp or .avif', out);
  if (path.resolve(out) === path.resolve(image)) throw usageError('--out', 'another file than the image itself', out);
  return { file: out, format: PICTURES[ending] };
}

/** A class's name, or its index where no class is called so. */
function classOf(given: string | undefined, classes: readonly string[]): string | number | undefined {
  if (given === undefined || classes.includes(given)) return given;
  if (/^\d+$/.test(given) && Number(given) < classes.length) return Number(given);
  throw usageError('--class', `one of ${classes.join(', ')} (or its index)`, given);
}
