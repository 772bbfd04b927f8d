/** The forms in which `predict` writes what it found. Each writes as results come, so that a long list needs no memory. */
import type { Box } from '../data/image.js';
import { percent } from '../plain-text.js';
import type { Prediction } from '../predict/prediction.js';
import { print } from './output.js';

export const FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** One image's outcome, or one face's on it: what was seen, perhaps with a remark on the picture; that there was none; or why nothing could be. */
export type Outcome =
  | { image: string; prediction: Prediction; note?: string; face?: { box: Box; confidence: number } }
  | { image: string; note: string }
  | { image: string; error: { code: string; message: string } };

export interface Writer {
  write(outcome: Outcome): void;
  end(): void;
}

/** The `top` likeliest classes, the likeliest first. */
function ranking(prediction: Prediction, top: number): { label: string; probability: number }[] {
  return Object.entries(prediction.probabilities)
    .map(([label, probability]) => ({ label, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

function record(outcome: Outcome, top: number): object {
  if (!('prediction' in outcome)) return outcome;
  const { image, prediction, note, face } = outcome;
  const { label, probability, probabilities } = prediction;
  return { image, ...face, label, probability, top: ranking(prediction, top), probabilities, ...(note === undefined ? {} : { note }) };
}

const FACE_COLUMNS = ['left', 'top', 'width', 'height', 'confidence'];
/** As --box takes it. */
const placeOf = ({ left, top, width, height }: Box): string => [left, top, width, height].join();
const PLACE = '1000,1000,100,100'.length;

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** `nameWidth`: characters of the longest image name, for the table. Images without a result appear in JSON only. */
export function predictionWriter(
  format: Format,
  options: { classes: readonly string[]; top: number; nameWidth: number; faces?: boolean },
): Writer {
  const { classes, top, nameWidth, faces } = options;
  switch (format) {
    case 'table': {
      const labelWidth = Math.max(...classes.map((name) => name.length));
      const cell = (label: string, probability: number): string => `${label.padEnd(labelWidth)} ${percent(probability).padStart(7)}`;
      return {
        write(outcome) {
          if ('error' in outcome) return;
          if (!('prediction' in outcome)) return print([outcome.image.padEnd(nameWidth), '(no face)'].join('  '));
          const seen = ranking(outcome.prediction, top).map(({ label, probability }) => cell(label, probability));
          const place = outcome.face ? [placeOf(outcome.face.box).padEnd(PLACE)] : [];
          print([outcome.image.padEnd(nameWidth), ...place, ...seen].join('  '));
        },
        end() {},
      };
    }
    case 'json': {
      let count = 0;
      return {
        write: (outcome) => void process.stdout.write(`${count++ === 0 ? '[' : ','}\n  ${JSON.stringify(record(outcome, top))}`),
        end: () => print(count === 0 ? '[]' : '\n]'),
      };
    }
    case 'ndjson':
      return { write: (outcome) => print(JSON.stringify(record(outcome, top))), end() {} };
    case 'csv':
      print(['image', ...(faces ? FACE_COLUMNS : []), 'label', 'probability', ...classes].map(csvCell).join(','));
      return {
        write(outcome) {
          if (!('prediction' in outcome)) return;
          const { label, probability, probabilities } = outcome.prediction;
          const { face } = outcome;
          const place = face ? [face.box.left, face.box.top, face.box.width, face.box.height, face.confidence.toFixed(3)] : [];
          const shares = classes.map((name) => probabilities[name].toFixed(6));
          print([csvCell(outcome.image), ...place, csvCell(label), probability.toFixed(6), ...shares].join(','));
        },
        end() {},
      };
  }
}
