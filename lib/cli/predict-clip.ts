/** `fer-cudnn predict clip.mp4`: what a face says over time. */
import { writeChart } from '../charts/write.js';
import { FerError } from '../errors.js';
import type { FaceFinder } from '../faces/finder.js';
import type { MiniXception } from '../model.js';
import { percent } from '../plain-text.js';
import { modelFileOf } from '../pretrained.js';
import { clipFrames, pictureFrames, type Frame } from '../video/frames.js';
import { smoother, timelineChart, type Moment, type SmoothedMoment } from '../video/timeline.js';
import { expandInput } from './inputs.js';
import { usageError } from './options.js';
import { note, noteDevice, print } from './output.js';
import type { FacesFlags } from './predict-faces.js';

export interface ClipFlags extends FacesFlags {
  faces?: boolean;
  /** A folder of pictures is a clip. */
  frames?: boolean;
  fps: number;
  smooth: number;
}

/** Asked one at a time: a clip's frames come one after another. */
async function momentOf(model: MiniXception, { time, picture }: Frame, { box, flip }: ClipFlags, finder?: FaceFinder): Promise<Moment> {
  if (!finder) return { time, prediction: await model.predict(picture, { box, flip }) };
  const faces = await model.predictFaces(picture, { finder, flip });
  if (faces.length === 0) return { time };
  // Whom it is about: the largest.
  const { box: place, prediction } = faces.reduce((most, face) => (face.box.width > most.box.width ? face : most));
  return { time, prediction, box: place };
}

function writer(format: ClipFlags['format'], classes: readonly string[]): { write: (moment: SmoothedMoment) => void; end: () => void } {
  const rows: SmoothedMoment[] = [];
  switch (format) {
    case 'json':
      return { write: (moment) => void rows.push(moment), end: () => print(JSON.stringify(rows)) };
    case 'ndjson':
      return { write: (moment) => print(JSON.stringify(moment)), end: () => undefined };
    case 'csv':
      print(['time', 'label', 'smoothed', ...classes].join(','));
      return {
        write({ time, prediction, smoothed }) {
          const shares = classes.map((name) => smoothed?.probabilities[name].toFixed(6) ?? '');
          print([time.toFixed(3), prediction?.label ?? '', smoothed?.label ?? '', ...shares].join(','));
        },
        end: () => undefined,
      };
    case 'table':
      return {
        write({ time, prediction, smoothed }) {
          const said = prediction ? `${prediction.label} ${percent(prediction.probability)}` : '(no face)';
          print(
            `${time.toFixed(2).padStart(8)} s  ${said.padEnd(18)}${smoothed ? `  smoothed: ${smoothed.label} ${percent(smoothed.probability)}` : ''}`,
          );
        },
        end: () => undefined,
      };
  }
}

export async function predictClip(inputs: readonly string[], flags: ClipFlags): Promise<void> {
  if (!flags.frames && inputs.length > 1)
    throw new FerError('ERR_FER_USAGE', 'one clip at a time; of pictures that are a clip together, say so with --frames');
  const base = flags.out?.replace(/\.(svg|png)$/i, '');
  if (flags.out !== undefined && base === flags.out) throw usageError('--out', 'a name ending in .svg or .png, for the chart', flags.out);
  const [{ MiniXception }, { faceFinder }] = await Promise.all([import('../model.js'), import('../faces/finder.js')]);
  await using finder = flags.faces ? faceFinder({ minConfidence: flags.minConfidence }) : undefined;
  const { device, threads, precision, fps } = flags;
  using model = await MiniXception.load(modelFileOf(flags.model), { device, threads, precision });
  noteDevice(model);
  const pictures = flags.frames ? (await Promise.all(inputs.map(expandInput))).flat() : [];
  const frames = flags.frames ? pictureFrames(pictures, fps) : clipFrames(inputs[0], fps);
  const smooth = smoother(flags.smooth);
  const moments: SmoothedMoment[] = [];
  const out = writer(flags.format, model.classes);
  for await (const frame of frames) {
    const moment = smooth(await momentOf(model, frame, flags, finder));
    if (base !== undefined) moments.push(moment);
    out.write(moment);
  }
  out.end();
  if (base === undefined) return;
  const files = await writeChart(timelineChart(moments, model.classes), base);
  note(`wrote ${files.join(' and ')}`);
}
