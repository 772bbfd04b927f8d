/** `fer-cudnn predict --faces`: an answer for every face on a photograph. */
import path from 'node:path';
import type { Box } from '../data/image.js';
import type { FacePrediction } from '../faces/predict-faces.js';
import { modelFileOf } from '../pretrained.js';
import { expandAll, Failures } from './failures.js';
import { standardInput, STDIN } from './inputs.js';
import { usageError, type DeviceFlags } from './options.js';
import { note, noteDevice, print } from './output.js';
import { predictionWriter, type Format, type Outcome } from './prediction-formats.js';

/** What the end of a picture's name asks for. */
const PICTURES = { '.jpg': 'jpeg', '.jpeg': 'jpeg', '.png': 'png', '.webp': 'webp', '.avif': 'avif' } as const;

interface Drawn {
  file: string;
  format: (typeof PICTURES)[keyof typeof PICTURES];
}

/** Where each image's drawn picture goes: one file, or one of each name in a folder. */
function outputs(images: readonly string[], out: string): Drawn[] {
  const ending = path.extname(out).toLowerCase();
  const format = Object.hasOwn(PICTURES, ending) ? PICTURES[ending as keyof typeof PICTURES] : undefined;
  if (format && images.length <= 1) {
    if (images.length === 1 && path.resolve(images[0]) === path.resolve(out))
      throw usageError('--out', 'another file than the picture itself', out);
    return [{ file: out, format }];
  }
  if (format) throw usageError('--out', 'a folder for several pictures', out);
  if (images.length === 1 && ending !== '')
    throw usageError('--out', `a name ending in ${Object.keys(PICTURES).join(', ')}, or a folder`, out);
  return images.map((image, i) => ({
    file: path.join(out, `${image === STDIN ? `standard-input-${i}` : path.parse(image).name}-faces.jpg`),
    format: 'jpeg',
  }));
}

const outcome = (image: string, { box, confidence, prediction }: FacePrediction): Outcome => {
  const whole = { left: Math.round(box.left), top: Math.round(box.top), width: Math.round(box.width), height: Math.round(box.height) };
  return { image, prediction, face: { box: whole, confidence } };
};

export interface FacesFlags extends DeviceFlags {
  model: string;
  box?: Box;
  flip?: boolean;
  minConfidence?: number;
  out?: string;
  top: number;
  format: Format;
}

export async function predictFaces(inputs: readonly string[], flags: FacesFlags): Promise<void> {
  if (flags.box) throw usageError('--box', 'no box with --faces, which finds them', 'a box');
  const [{ MiniXception }, { faceFinder }] = await Promise.all([import('../model.js'), import('../faces/finder.js')]);
  await using finder = faceFinder({ minConfidence: flags.minConfidence });
  const { device, threads, precision, flip } = flags;
  using model = await MiniXception.load(modelFileOf(flags.model), { device, threads, precision });
  noteDevice(model);
  const failures = new Failures();
  const { images, missing } = await expandAll(inputs, failures);
  const drawn = flags.out === undefined ? [] : outputs(images, flags.out);
  const top = Math.min(flags.top, model.classes.length);
  const nameWidth = Math.max(0, ...images.map((image) => image.length));
  const writer = predictionWriter(flags.format, { classes: model.classes, top, nameWidth, faces: true });
  for (const each of missing) writer.write(each);
  for (const [i, image] of images.entries()) {
    try {
      const picture = image === STDIN ? await standardInput() : image;
      const faces = await model.predictFaces(picture, { finder, flip });
      if (faces.length === 0) {
        note(`note: ${image}: no face was found`);
        writer.write({ image, note: 'no face was found' });
      }
      for (const face of faces) writer.write(outcome(image, face));
      if (drawn[i]) await draw(picture, faces, drawn[i]);
    } catch (error) {
      writer.write(failures.of(image, error));
    }
  }
  writer.end();
  if (drawn.length > 0 && flags.format === 'table') print(`drawn: ${drawn.map(({ file }) => file).join(', ')}`);
  failures.tell(images.length + missing.length);
}

async function draw(picture: string | Uint8Array, faces: readonly FacePrediction[], { file, format }: Drawn): Promise<void> {
  const [{ drawFaces }, { writeFileAtomic }] = await Promise.all([import('../faces/draw.js'), import('../atomic-file.js')]);
  await writeFileAtomic(file, await drawFaces(picture, faces, { format }));
}
