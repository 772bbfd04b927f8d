/**
 * A model's card: what it was taught and how, what it can do, how sure that is, and what it is not for. One function writes the README.md of
 * a run folder, of the models that come with the package and of a folder for Hugging Face.
 */
import type { EpochRow } from '../metrics/epoch.js';
import { wilsonInterval, type ClassificationMetrics, type Interval } from '../metrics/index.js';
import { describe } from '../network/description.js';
import type { ModelMetadata } from '../network/metadata.js';
import { widthName } from '../network/width.js';
import { inPercent, thousands } from '../plain-text.js';
import { markdown } from '../quoting.js';
import type { DataSummary } from './data-summary.js';
import type { TrainingConfig } from './options.js';

export interface CardFacts {
  metadata: ModelMetadata;
  /** Such as "model.safetensors", beside the card. */
  file: string;
  data?: DataSummary;
  /** Of the split that it is on, which nothing was chosen by. */
  evaluation?: ClassificationMetrics & { split: string };
  rows?: readonly EpochRow[];
  /** Facts about the run, a line each. */
  notes?: readonly string[];
  /** Of these, links and pictures are written: curves.png, confusion-matrix.png, config.json, metrics.csv, ... */
  files: ReadonlySet<string>;
  /** Markdown of the author's own, beginning with a heading of the second level. */
  addition?: string;
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
const range = ([low, high]: Interval): string => `${inPercent(low)} to ${inPercent(high)}`;
const configOf = ({ training }: ModelMetadata): Partial<TrainingConfig> => (training?.config ?? {}) as Partial<TrainingConfig>;

export function modelCard(facts: CardFacts): string {
  const sections = [opening(facts), figures(facts), data(facts), protocol(facts), curves(facts), use(facts), facts.addition, limits(facts)];
  return sections.filter((section) => section !== undefined && section !== '').join('\n\n');
}

/** "Mini_Xception, narrow, fer2013.csv.gz". */
export function cardTitle({ metadata, data }: CardFacts): string {
  const source = data?.source ?? metadata.training?.data;
  return ['Mini_Xception', widthName(metadata.width), ...(typeof source === 'string' ? [source] : [])].join(', ');
}

function opening(facts: CardFacts): string {
  const { metadata, evaluation } = facts;
  const { inputSize, classes, source } = metadata;
  const { parameterCount, multiplyAdds } = describe(metadata);
  const says =
    evaluation &&
    `It is right about ${inPercent(evaluation.accuracy)} % of ${thousands(evaluation.n)} images that neither taught it nor chose it ` +
      `(95 % interval ${range(evaluation.accuracyInterval)}).`;
  return [
    `# ${markdown(cardTitle(facts))}`,
    `A small convolutional network that says which expression a face shows. ${says ?? 'It was not evaluated on a test split.'}`,
    table(
      ['', ''],
      [
        ['parameters', thousands(parameterCount)],
        ['multiply-adds a picture', `${(multiplyAdds / 1e6).toFixed(1)} million`],
        ['input', `${inputSize}x${inputSize} pixels, grey, ${metadata.normalization}`],
        ['classes', classes.map(markdown).join(', ')],
        ...(source === undefined ? [] : [['where it comes from', markdown(source)]]),
      ],
    ),
  ].join('\n\n');
}

function figures({ evaluation, files }: CardFacts): string | undefined {
  if (!evaluation) return undefined;
  const m = evaluation;
  const predicted = (i: number): number => m.confusionMatrix.reduce((sum, counts) => sum + counts[i], 0);
  const within = (share: number, i: number, n: number): string =>
    n === 0 ? '–' : `${inPercent(share)} (${range(wilsonInterval(m.confusionMatrix[i][i], n))})`;
  const names = m.perClass.map(({ name }) => markdown(name));
  return [
    `## Figures\n\nOn ${markdown(m.split)}, n = ${thousands(m.n)}; intervals are 95 % Wilson score intervals, and say nothing of what another seed would give.`,
    table(
      ['', '%'],
      [
        ['accuracy', `${inPercent(m.accuracy)} (${range(m.accuracyInterval)})`],
        ['macro precision / recall / F1', [m.macroPrecision, m.macroRecall, m.macroF1].map(inPercent).join(' / ')],
        ['weighted precision / recall / F1', [m.weightedPrecision, m.weightedRecall, m.weightedF1].map(inPercent).join(' / ')],
        ['macro ROC-AUC, one against the rest', inPercent(m.rocAuc)],
      ],
    ),
    `Calibration: the expected calibration error is ${inPercent(m.expectedCalibrationError)} % (15 bins of the largest probability): by so much, ` +
      `on average, the probability of an answer is off how often it is right. The mean cross-entropy is ${m.loss.toFixed(3)} nats.`,
    table(
      ['class', 'precision, %', 'recall, %', 'F1, %', 'images'],
      m.perClass.map(({ precision, recall, f1, support }, i) => [
        names[i],
        within(precision, i, predicted(i)),
        within(recall, i, support),
        inPercent(f1),
        thousands(support),
      ]),
    ),
    ...(files.has('confusion-matrix.png') ? ['![Confusion matrix](confusion-matrix.png)'] : []),
    table(
      ['true \\ predicted', ...names],
      m.confusionMatrix.map((counts, i) => [names[i], ...counts.map(String)]),
    ),
  ].join('\n\n');
}

function data({ data: summary }: CardFacts): string | undefined {
  if (!summary) return undefined;
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  return [
    `## Data\n\n${summary.synthetic ? 'Faces drawn by this package' : markdown(`${summary.source}, a ${summary.name}`)}, ${summary.size}x${summary.size} pixels.`,
    table(
      ['split', 'images', ...summary.classes.map(markdown)],
      summary.splits.map(({ name, counts }) => [markdown(name), thousands(total(counts)), ...counts.map(thousands)]),
    ),
    ...(summary.notes.length > 0 ? [summary.notes.map((note) => `- ${markdown(note)}`).join('\n')] : []),
  ].join('\n\n');
}

/** What was done to the pictures, in words; empty where nothing was. */
function augmentation(config: Partial<TrainingConfig>): string {
  const { flip = 0, geometric = 0, rotation = 0, shift = 0, zoom = 0, photometric = 0, brightness = 0, contrast = 0, cutout = 0 } = config;
  return [
    flip > 0 && `mirrored (probability ${flip})`,
    geometric > 0 &&
      `turned up to ${rotation} degrees, shifted up to ${inPercent(shift)} %, scaled up to ${inPercent(zoom)} % (${geometric})`,
    photometric > 0 && `brightness changed up to ${inPercent(brightness)} %, contrast ${inPercent(contrast)} % (${photometric})`,
    cutout > 0 && `a square cut out (${cutout})`,
  ]
    .filter(Boolean)
    .join('; ');
}

function protocol({ metadata, evaluation, notes = [], files }: CardFacts): string | undefined {
  const config = configOf(metadata);
  if (config.epochs === undefined) return undefined;
  const chosen = metadata.training?.chosen as { epoch?: number; accuracy?: number } | undefined;
  const changes = augmentation(config);
  const link = (file: string, words: string): string[] => (files.has(file) ? [`[${words}](${file})`] : []);
  const links = [...link('config.json', 'every option'), ...link('metrics.csv', 'every epoch'), ...link('evaluation.json', 'every figure')];
  const lines = [
    `preset ${config.preset}, ${config.epochs} epochs of batches of ${config.batchSize}, seed ${config.seed}, ${config.precision ?? 'fp32'}`,
    ...(config.teacher?.length
      ? [`taught by ${config.teacher.join(', ')}: ${config.distill} of the loss, temperature ${config.temperature}`]
      : []),
    `${config.optimizer}, learning rate ${config.learningRate} (${config.schedule}), weight decay ${config.weightDecay}` +
      `${config.labelSmoothing ? `, label smoothing ${config.labelSmoothing}` : ''}${config.emaDecay ? `, weights averaged (${config.emaDecay})` : ''}`,
    changes === '' ? 'no augmentation' : `augmentation: ${changes}`,
    ...(chosen?.epoch === undefined
      ? []
      : [
          `${config.selectBy === 'last' ? `the last epoch, ${chosen.epoch}, was kept` : `epoch ${chosen.epoch} of ${config.epochs} was kept, the best on the validation split`}` +
            ` (validation accuracy ${inPercent(chosen.accuracy ?? 0)} %)${evaluation ? `; ${evaluation.split} was looked at once, at the end` : ''}`,
        ]),
    ...notes,
  ];
  return `## Protocol\n\n${lines.map((line) => `- ${markdown(line)}`).join('\n')}${links.length > 0 ? `\n\n${links.join(' · ')}` : ''}`;
}

function curves({ rows, files }: CardFacts): string | undefined {
  if (!rows?.length) return undefined;
  const best = rows.reduce((most, each) => (each.validationAccuracy > most.validationAccuracy ? each : most));
  const shown = [...new Set([rows[0], best, rows.at(-1)!])].sort((a, b) => a.epoch - b.epoch);
  return [
    '## Curves',
    ...(files.has('curves.png') ? ['![Loss and accuracy by epoch](curves.png)'] : []),
    table(
      ['epoch', 'training loss', 'training accuracy, %', 'validation loss', 'validation accuracy, %'],
      shown.map(({ epoch, trainLoss, trainAccuracy, validationLoss, validationAccuracy }) => [
        `${epoch}${epoch === best.epoch ? ', the best' : ''}`,
        trainLoss.toFixed(3),
        inPercent(trainAccuracy),
        validationLoss.toFixed(3),
        inPercent(validationAccuracy),
      ]),
    ),
  ].join('\n\n');
}

const use = ({ file }: CardFacts): string => `## Use

\`\`\`sh
npx fer-cudnn predict face.jpg --model ${file}
npx fer-cudnn export ${file} -o model.onnx    # for ONNX Runtime, browsers, phones
\`\`\`

\`\`\`js
import { MiniXception } from 'fer-cudnn';

using model = await MiniXception.load('${file}');
console.log(await model.predict('face.jpg'));
\`\`\`

The picture should be one face, cut out; it is made grey and stretched to the network's size.`;

/** Whether the data are FER2013, whatever their file is called. */
const isFer2013 = ({ data: summary, metadata }: CardFacts): boolean =>
  /fer-?2013/i.test(`${summary?.source ?? ''} ${summary?.name ?? ''} ${String(metadata.training?.data ?? '')}`);

function limits(facts: CardFacts): string {
  const { evaluation, data: summary } = facts;
  const weakest = evaluation?.perClass.filter(({ support }) => support > 0).sort((a, b) => a.recall - b.recall)[0];
  const rarest = evaluation?.perClass.reduce((least, each) => (each.support < least.support ? each : least));
  const lines = [
    'An expression is not an emotion, and a network that names one does not know what a person feels: do not use it to judge people, and not ' +
      'where the law forbids it (in the European Union: emotion recognition at work and in schools).',
    summary?.synthetic && 'It was taught with drawn faces and knows nothing of real ones: for trying the program only.',
    isFer2013(facts) &&
      "FER2013's labels are noisy (people agree on about 65 %), 278 groups of identical images join PrivateTest and Training, and its pictures " +
        'are web photographs of 2013, without any record of who is in them: how it does for people of one age, skin or sex was not measured.',
    !summary?.synthetic && !isFer2013(facts) && 'How it does for people of one age, skin or sex was not measured.',
    weakest && `It finds ${inPercent(weakest.recall)} % of ${markdown(weakest.name)}, its weakest class.`,
    rarest && rarest.support < 100 && `Figures of ${markdown(rarest.name)} stand on ${rarest.support} images.`,
    'Faces that are turned, badly lit, covered or cut otherwise than those it was taught with do worse; `fer-cudnn experiment robustness` measures it.',
  ];
  return `## Limits\n\n${lines
    .filter((line): line is string => typeof line === 'string')
    .map((line) => `- ${line}`)
    .join('\n')}`;
}
