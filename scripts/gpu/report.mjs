// One Markdown page from the parts' JSON.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const percent = (value) => `${(100 * value).toFixed(1)} %`;
const tableOf = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const SECTIONS = {
  doctor: ({ lines }) => ['```text', ...lines, '```'].join('\n'),
  parity: ({ count, failed, worst }) =>
    `${count} tests of operations, whole networks, gradients and explanations against PyTorch's values, ${failed} failed.\n\n${tableOf(
      ['precision', 'worst difference of an operation, in 1 + root mean squares'],
      Object.entries(worst).map(([precision, value]) => [precision, value.toExponential(1)]),
    )}`,
  steps: ({ results, steps, batch, data }) =>
    `${steps} steps of ${batch} images, ${data}.\n\n${tableOf(
      ['check', 'passed', 'way apart after the first steps (allowed)', 'mean loss apart (allowed)'],
      Object.entries(results).map(([name, r]) => [
        name,
        r.skipped ? 'skipped' : r.passed ? 'yes' : '**no**',
        r.early === undefined ? (r.message ?? r.skipped ?? '') : `${r.early.toExponential(1)} (${r.allowed.early.toExponential(1)})`,
        r.mean === undefined ? '' : `${r.mean.toPrecision(2)} (${r.allowed.mean.toPrecision(2)})`,
      ]),
    )}`,
  sanitizer: ({ skipped, results }) =>
    skipped
      ? `Skipped: ${skipped}.`
      : tableOf(
          ['tool', 'clean'],
          Object.entries(results).map(([tool, r]) => [tool, r.clean ? 'yes' : `**no** (${r.status})`]),
        ),
  speed: ({ training, inference, kernels }) =>
    [
      tableOf(
        ['width', 'batch', 'precision', 'ms a step', 's an epoch', 'times plain PyTorch', 'times the best PyTorch'],
        training.flatMap(({ width, batch, ours }) =>
          Object.entries(ours).map(([precision, f]) => [
            width,
            batch,
            precision,
            f.milliseconds.toFixed(3),
            f.epochSeconds.toFixed(2),
            f.timesPlainPyTorch?.toFixed(1) ?? '–',
            f.timesBestPyTorch?.toFixed(2) ?? '–',
          ]),
        ),
      ),
      tableOf(
        ['PyTorch: width', 'batch', 'mode', 'ms a step'],
        training.flatMap(({ width, batch, pytorch }) =>
          Object.entries(pytorch).map(([mode, f]) => [width, batch, mode, f.milliseconds?.toFixed(3) ?? f.failed]),
        ),
      ),
      tableOf(
        ['predicting: width', 'batch', 'ms an image', 'images/s'],
        inference.map((row) => [row.width, row.batch, row.millisecondsAnImage.toFixed(4), (1000 / row.millisecondsAnImage).toFixed(0)]),
      ),
      ...Object.entries(kernels ?? {}).map(([width, byName]) =>
        byName.failed
          ? `Kernels of ${width}: ${byName.failed}`
          : tableOf(
              [`kernel, ${width}`, 'launches', 'µs', 'GB/s'],
              Object.entries(byName)
                .sort((a, b) => b[1].microseconds - a[1].microseconds)
                .map(([name, k]) => [name, k.launches, k.microseconds.toFixed(1), (k.bytes / k.microseconds / 1e3).toFixed(0)]),
            ),
      ),
    ].join('\n\n'),
  paper: ({ results }) =>
    tableOf(
      ['run', 'epochs', 's an epoch', 'accuracy, PrivateTest', '95 % interval', 'macro precision / recall', 'the paper'],
      Object.values(results).map((r) => [
        r.id,
        r.epochs < r.asked ? `${r.epochs} of ${r.asked}` : r.asked < r.planned ? `${r.epochs} (shortened from ${r.planned})` : r.epochs,
        r.epochSeconds.toFixed(2),
        r.finished ? percent(r.accuracy) : 'not finished',
        r.finished ? r.accuracyInterval.map(percent).join(' to ') : '',
        r.finished ? `${percent(r.macroPrecision)} / ${percent(r.macroRecall)}` : '',
        r.paper ? `${r.paper} %` : '',
      ]),
    ),
};

/** How a part ended, in words; what it skipped proves nothing. */
export const verdict = ({ passed, complete, skipped }) =>
  skipped
    ? `skipped (${[skipped].flat().join('; ')})${passed === undefined ? '' : passed ? ', the rest passed' : ', the rest NOT PASSED'}`
    : `${passed ? 'passed' : 'NOT PASSED'}${complete ? '' : ', not complete'}`;

/** Writes <out>/report.md from what is there; true when every part that is there has passed or was skipped whole. */
export function writeReport(out, names) {
  const parts = names
    .map((name) => path.join(out, `${name}.json`))
    .filter(existsSync)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const rehearsal = parts.some((part) => part.rehearsal);
  const text = [
    `# ${parts[0]?.device ?? 'nothing was run'}`,
    ...(rehearsal ? ['**A rehearsal: these are not figures of a GPU, or not full measurements.**'] : []),
    tableOf(
      ['part', 'result', 'seconds', 'date'],
      parts.map((p) => [p.part, verdict(p), p.seconds.toFixed(0), p.date.slice(0, 10)]),
    ),
    ...parts.map((part) => `## ${part.part}\n\n${part.failure ? `Failed: ${part.failure}` : SECTIONS[part.part](part)}`),
  ];
  writeFileSync(path.join(out, 'report.md'), `${text.join('\n\n')}\n`);
  return parts.length > 0 && parts.every((part) => part.passed ?? Boolean(part.skipped));
}
