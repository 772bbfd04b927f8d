/** What a finished run leaves in its folder beside checkpoints and metrics: the model, its figures, charts. */
import { confusionMatrixChart, learningCurvesChart } from '../charts/charts.js';
import { writeChart } from '../charts/write.js';
import type { LabelledImages } from '../data/data-set.js';
import { formatConfusionMatrix, formatReport } from '../metrics/text.js';
import { writeModelFile } from '../network/model-file.js';
import { tensorsOf, type Network } from '../network/network.js';
import type { TrainingResult } from './fit.js';
import type { RunFolder } from './run-folder.js';

export async function writeRunReport(folder: RunFolder, network: Network, data: LabelledImages, result: TrainingResult): Promise<void> {
  await writeModelFile(folder.file('model.safetensors'), { metadata: network.metadata, tensors: await tensorsOf(network) });
  await writeChart(learningCurvesChart(result.rows), folder.file('curves'));
  const { chosen, evaluation, evaluatedSplit: split } = result;
  if (!evaluation) return;
  await folder.writeJson('evaluation.json', { split, chosen, ...evaluation });
  const heading = `${split} of ${data.source.split('/').pop()}, weights of epoch ${chosen.epoch}`;
  await folder.writeText('report.txt', [heading, '', formatReport(evaluation), '', formatConfusionMatrix(evaluation)].join('\n'));
  await writeChart(confusionMatrixChart(evaluation), folder.file('confusion-matrix'));
}
