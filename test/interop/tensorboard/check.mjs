// A run with event files, interrupted once, as TensorBoard's own reader has it.
import path from 'node:path';
import { tensorBoard } from '../../../dist/index.js';
import { differences, EPOCHS, interruptedTraining } from '../tracked.mjs';

export async function check({ folder, python }) {
  const runFolder = path.join(folder, 'run');
  const { result, rows } = await interruptedTraining(runFolder, () => [tensorBoard()]);
  const found = python(new URL('check.py', import.meta.url), runFolder);
  const { scalars, image, hparams, status, files } = found;
  const wrong = differences(scalars, rows);
  const accuracy = scalars['test/accuracy'] ?? [];
  if (accuracy.length !== 1 || Math.abs(accuracy[0][1] - result.evaluation.accuracy) > 1e-6)
    wrong.push(`test/accuracy: ${JSON.stringify(accuracy)}`);
  if (rows.length !== EPOCHS || files !== 2) wrong.push(`${rows.length} epochs, ${files} files`);
  for (const [key, value] of Object.entries(result.config))
    if (hparams[key] !== (Array.isArray(value) ? value.join(', ') : value))
      wrong.push(`hparams ${key}: ${hparams[key]}, expected ${value}`);
  if (status !== 'STATUS_SUCCESS') wrong.push(`the run's status is ${status}`);
  if (!(image.width > 100 && image.width === image.png[0] && image.height === image.png[1])) wrong.push(`image ${JSON.stringify(image)}`);
  const figures = { scalars: Object.keys(scalars).length, epochs: rows.length, hparams: Object.keys(hparams).length, image: image.png };
  return {
    ...figures,
    wrong,
    lines: [
      `${figures.scalars} scalars, ${figures.epochs} epochs once each over ${files} files of an interrupted run, ${figures.hparams} hparams, ` +
        `confusion matrix ${image.png.join('x')}, ${status}`,
    ],
  };
}
