// What every consumer runs: a packaged model's answer for a drawn face, and a chart, whose words need the package's fonts.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { learningCurvesChart, MiniXception, writeChart } from 'fer-cudnn';

/** "happy 0.1234 1a2b3c4d": the same words wherever it is run. */
export async function answer() {
  const model = await MiniXception.pretrained('narrow');
  const pixels = Uint8Array.from({ length: 48 * 48 }, (_, i) => 128 + 100 * Math.sin(i / 7) * Math.cos(i / 331));
  const { label, probability } = await model.predict({ pixels, width: 48, height: 48 });
  model.dispose();
  const row = { trainLoss: 1, trainAccuracy: 0.5, validationLoss: 1, validationAccuracy: 0.5 };
  const spec = learningCurvesChart([1, 2].map((epoch) => ({ epoch, ...row })));
  const files = await writeChart(spec, path.join(mkdtempSync(path.join(tmpdir(), 'fer-chart-')), 'chart'));
  const png = files.find((file) => file.endsWith('.png'));
  const words = png ? createHash('sha256').update(readFileSync(png)).digest('hex').slice(0, 8) : 'no PNG';
  return `answer: ${label} ${probability.toFixed(4)} ${words}`;
}
