/** The forms in which `predict` writes what it found. Each writes as results come, so that a long list needs no memory. */
import { percent } from '../plain-text.js';
import type { Prediction } from '../predict/prediction.js';
import { print } from './output.js';

export const FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** One image's outcome: what was seen, perhaps with a remark on the picture, or why nothing could be. */
export type Outcome =
  | { image: string; prediction: Prediction; note?: string }
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
  if ('error' in outcome) return outcome;
  const { image, prediction, note } = outcome;
  const { label, probability, probabilities } = prediction;
  return { image, label, probability, top: ranking(prediction, top), probabilities, ...(note === undefined ? {} : { note }) };
}

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** `nameWidth`: characters of the longest image name, for the table. Images without a result appear in JSON only. */
export function predictionWriter(format: Format, options: { classes: readonly string[]; top: number; nameWidth: number }): Writer {
  const { classes, top, nameWidth } = options;
  switch (format) {
    case 'table': {
      const labelWidth = Math.max(...classes.map((name) => name.length));
      const cell = (label: string, probability: number): string => `${label.padEnd(labelWidth)} ${percent(probability).padStart(7)}`;
      return {
        write(outcome) {
          if ('error' in outcome) return;
          const seen = ranking(outcome.prediction, top).map(({ label, probability }) => cell(label, probability));
          print([outcome.image.padEnd(nameWidth), ...seen].join('  '));
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
      print(['image', 'label', 'probability', ...classes].map(csvCell).join(','));
      return {
        write(outcome) {
          if ('error' in outcome) return;
          const { label, probability, probabilities } = outcome.prediction;
          print(
            [csvCell(outcome.image), csvCell(label), probability.toFixed(6), ...classes.map((name) => probabilities[name].toFixed(6))].join(
              ',',
            ),
          );
        },
        end() {},
      };
  }
}
