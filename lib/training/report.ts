/** What a finished run leaves in its folder beside checkpoints and metrics: the model, its figures, charts and card. */
import { confusionMatrixChart, learningCurvesChart } from '../charts/charts.js';
import { writeChart } from '../charts/write.js';
import type { LabelledImages } from '../data/data-set.js';
import { formatConfusionMatrix, formatReport } from '../metrics/text.js';
import { writeModelFile } from '../network/model-file.js';
import { tensorsOf, type Network } from '../network/network.js';
import { modelCard } from './card.js';
import { summaryOf } from './data-summary.js';
import type { TrainingResult } from './fit.js';
import type { RunFolder } from './run-folder.js';

const MODEL = 'model.safetensors';

export async function writeRunReport(folder: RunFolder, network: Network, data: LabelledImages, result: TrainingResult): Promise<void> {
  const { metadata } = network;
  await writeModelFile(folder.file(MODEL), { metadata, tensors: await tensorsOf(network) });
  await writeChart(learningCurvesChart(result.rows), folder.file('curves'));
  const summary = summaryOf(data);
  await folder.writeJson('data.json', summary);
  const { chosen, evaluation, evaluatedSplit: split } = result;
  const files = new Set(['config.json', 'metrics.csv', 'curves.png']);
  if (evaluation && split) {
    await folder.writeJson('evaluation.json', { split, chosen, ...evaluation });
    const heading = `${split} of ${data.source.split('/').pop()}, weights of epoch ${chosen.epoch}`;
    await folder.writeText('report.txt', [heading, '', formatReport(evaluation), '', formatConfusionMatrix(evaluation)].join('\n'));
    await writeChart(confusionMatrixChart(evaluation), folder.file('confusion-matrix'));
    for (const file of ['evaluation.json', 'confusion-matrix.png']) files.add(file);
  }
  const notes = result.notes.filter((note) => !data.notes.includes(note));
  const tested = evaluation && split ? { ...evaluation, split } : undefined;
  await folder.writeText(
    'README.md',
    modelCard({ metadata, file: MODEL, data: summary, evaluation: tested, rows: result.rows, notes, files }),
  );
}
