#!/usr/bin/env node
// Writes the lists in README.md and docs/ that a registry knows better, between `<!-- list: NAME -->` and `<!-- end of list -->` of their page.
// `--check` compares instead. Needs: npm run build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import path from 'node:path';
import { PRETRAINED } from '../dist/pretrained.js';
import { FORMS } from '../dist/data/registry.js';
import { EXPERIMENTS } from '../dist/experiments/registry.js';
import { PERTURBATION_TYPES, PERTURBATIONS } from '../dist/perturb/registry.js';
import { OPTIONS } from '../dist/training/options.js';
import { PRESETS } from '../dist/training/presets.js';
import { CONSUMERS } from '../test/consumers/consumers.mjs';
import { ATTACKS } from '../test/torture/attacks/registry.mjs';

const inCode = (name) => name.replace(/[\w-]*\.\w+(\.gz)?/g, '`$&`');

const shown = (value) => (value.length === 0 ? 'none' : `\`${value}\``);

/** Values of a training option, as its table has them. */
const valuesOf = ({ kind, min, max, choices }) =>
  kind === 'boolean' ? '`true`, `false`'
  : kind === 'choice' ? choices.map(shown).join(', ')
  : kind === 'width' ? 'a name or channels'
  : kind === 'models' ? 'files or names'
  : `${kind === 'integer' ? 'whole, ' : ''}${max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`}`; // prettier-ignore

/** The default, and the presets that set another value. */
function defaultsOf(key) {
  const set = Object.entries(PRESETS).filter(([, { options }]) => options[key] !== undefined && options[key] !== OPTIONS[key].default);
  return [shown(OPTIONS[key].default), ...set.map(([name, { options }]) => `${name} ${shown(options[key])}`)].join(', ');
}

/** A model of the package: name, card, and the accuracy that its evaluation.json has. */
function modelRow([name, { describe, file }]) {
  const folder = path.dirname(file);
  const { n, split, accuracy, accuracyInterval } = JSON.parse(readFileSync(path.join(folder, 'evaluation.json'), 'utf8'));
  const percent = (x) => (100 * x).toFixed(1);
  const figure = `${percent(accuracy)} % (${accuracyInterval.map(percent).join(' to ')})`;
  return [`[\`${name}\`](models/${path.basename(folder)}/README.md)`, describe, `${figure}, ${split}, n = ${n.toLocaleString('en')}`];
}

/** A result in bench/results/; undefined where it has not been measured yet. */
function measured(name) {
  const file = new URL(`../bench/results/${name}.json`, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

const torture = measured('torture');
const soak = measured('soak');

/** An attack, and what came of it when all were run in full. */
function attackRow({ name, about, holds }) {
  const found = torture?.attacks.find((each) => each.name === name);
  const figures = found?.skipped ? ['–', '–'] : [found?.tried ?? '–', found?.held ?? '–'];
  return [`\`${name}\``, about.replaceAll('|', '\\|'), holds, ...figures];
}

/** Machine, date and commit of a result, in a sentence. */
const origin = ({ date, commit, machine: { processor, cores } }) => `${processor}, ${cores} cores, ${date}, commit ${commit}`;

function tortureResult(result) {
  const broken = result.attacks.filter(({ failed }) => failed > 0).map(({ name }) => shown(name));
  const skipped = result.attacks.filter(({ skipped }) => skipped).map(({ name }) => shown(name));
  return [
    `The figures: ${origin(result)}${result.note ? `, ${result.note}` : ''}.`,
    broken.length > 0 ? `Not always held: ${broken.join(', ')}.` : 'All held.',
    ...(skipped.length > 0 ? [`Skipped there: ${skipped.join(', ')}.`] : []),
  ].join(' ');
}

function soakResult(result) {
  const { hours, verdict, counts } = result;
  const rounds = Math.max(...Object.values(counts));
  const picture = '![Memory, open files and threads over the hours](../bench/results/soak.svg)';
  return `${hours.toFixed(1)} hours, ${rounds} rounds. ${verdict.sentence} (${origin(result)}).\n\n${picture}\n\n`;
}

const serving = { raw: measured('serving'), jpeg: measured('serving-jpeg') };

/** Requests a second of a kind of picture, ours beside the other server's. */
function servingRow(kind, what) {
  const of = (name) => serving.raw.summary.find((row) => row.kind === kind && row.contender === name);
  const [own, other] = [of('fer-cudnn'), of('onnxruntime-node')];
  const cells = [own, other].flatMap(({ requestsASecond, p50, p99 }) => [
    Math.round(requestsASecond).toLocaleString('en'),
    `${p50} / ${p99}`,
  ]);
  return [what, ...cells, (own.requestsASecond / other.requestsASecond).toFixed(2), own.eventLoopDelayP99];
}

/** What came of twice the capacity. */
function overloadRow(what, { overload }) {
  const { asked, answered, refused, wrong, lost, healthMilliseconds: health, worstEventLoopDelayP99: delay, rssMiB } = overload;
  const counts = [answered, refused, wrong, lost].map((count) => count.toLocaleString('en'));
  const half = rssMiB.during.slice(rssMiB.during.length >> 1);
  return [what, Math.round(asked), ...counts, `${health.p50} / ${health.p99}`, delay, `${Math.min(...half)} to ${Math.max(...half)}`];
}

const interop = {
  onnx: measured('interop/onnx'),
  torch: measured('interop/torch'),
  huggingface: measured('interop/huggingface'),
  tensorboard: measured('interop/tensorboard'),
  mlflow: measured('interop/mlflow'),
};

/** What a file of another form says beside what the package says. */
const difference = (x) => x.toExponential(1);
const versionsOf = ({ versions, date }) =>
  `${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}; ${date}`;
const optionsOf = (options) => Object.keys(options).map(shown).join(', ');

/** A table has columns and rows; a list within a sentence has words. `page`: one, or several that have the list. */
const LISTS = {
  forms: {
    page: ['README.md', 'docs/data.md'],
    columns: ['a data set is one of', ''],
    rows: FORMS.flatMap(({ looks }) => looks.map(([name, what]) => [inCode(name), what])),
  },
  models: { page: 'README.md', columns: ['model', '', 'accuracy on FER2013'], rows: Object.entries(PRETRAINED).map(modelRow) },
  'forms, in a sentence': { page: 'docs/errors.md', words: FORMS.map(({ describe }) => describe).join('; ') },
  consumers: {
    page: 'docs/bundlers.md',
    columns: ['used by', 'tried with', 'what you add'],
    rows: Object.values(CONSUMERS).map(({ what, packages = {}, tools = {}, needs = 'nothing' }) => [
      what,
      Object.entries({ ...packages, ...tools })
        .map((each) => each.join(' '))
        .join(', '),
      needs,
    ]),
  },
  experiments: {
    page: 'docs/experiments.md',
    columns: ['experiment', 'what it shows', 'a cell is'],
    rows: EXPERIMENTS.map(({ name, summary, cell }) => [`\`${name}\``, summary, cell]),
  },
  presets: {
    page: 'docs/training.md',
    columns: ['preset', 'what it is', 'epochs', 'batch', 'optimiser', 'rate', 'schedule', 'weights kept'],
    rows: Object.entries(PRESETS).map(([name, { describe, options }]) => {
      const { epochs, batchSize, optimizer, learningRate, schedule, selectBy } = options;
      return [`\`${name}\``, describe, epochs, batchSize, optimizer, learningRate, schedule, selectBy];
    }),
  },
  'training options': {
    page: 'docs/training.md',
    columns: ['option', 'what it does', 'values', 'default, and presets that differ'],
    rows: Object.entries(OPTIONS).map(([key, option]) => [
      shown(key),
      option.help,
      valuesOf(option),
      key === 'preset' ? '`clean` with `--data`, else `quick`' : defaultsOf(key),
    ]),
  },
  attacks: {
    page: 'docs/reliability.md',
    columns: ['attack', 'what it does', 'what must hold', 'tried', 'held'],
    rows: ATTACKS.map(attackRow),
  },
  'torture run': { page: 'docs/reliability.md', words: torture ? tortureResult(torture) : 'It has not been run in full yet.' },
  soak: {
    page: 'docs/reliability.md',
    words: soak ? soakResult(soak) : 'It has not been run yet.',
  },
  'onnx parity': {
    page: 'docs/interop.md',
    columns: ['network', 'input', 'precision', 'files', `largest difference of logits (${versionsOf(interop.onnx)})`],
    rows: interop.onnx.parity.map(({ width, size, fp16, cases, difference: most }) => [
      `\`${width}\``,
      `${size}x${size}`,
      fp16 ? 'fp16' : 'fp32',
      cases,
      difference(most),
    ]),
  },
  'onnx predictions': {
    page: 'docs/interop.md',
    columns: ['packaged model', 'options', 'predictions on PrivateTest that are equal', 'largest difference of logits'],
    rows: interop.onnx.predictions.map(({ model, options, equal, n, difference: most }) => [
      shown(model),
      optionsOf(options),
      `${equal.toLocaleString('en')} of ${n.toLocaleString('en')}`,
      difference(most),
    ]),
  },
  'onnx imported': {
    page: 'docs/interop.md',
    words: `Of ${interop.onnx.imported.files} files in full precision, batch norms apart, ${interop.onnx.imported.exact} came back bit for bit.`,
  },
  torch: {
    page: 'docs/interop.md',
    columns: [
      `model (${versionsOf(interop.torch)})`,
      'input',
      'predictions that are equal',
      'largest difference of logits',
      'after saving, and loading here',
      'the same after a training step in PyTorch',
    ],
    rows: interop.torch.roundTrips.map(({ network, size, n, equal, difference: most, exact, tunedDifference }) => [
      network,
      `${size}x${size}`,
      `${equal.toLocaleString('en')} of ${n.toLocaleString('en')}`,
      difference(most),
      exact ? 'the same bits' : 'other bits',
      difference(tunedDifference),
    ]),
  },
  huggingface: {
    page: 'docs/interop.md',
    columns: [
      `packaged model (${versionsOf(interop.huggingface)})`,
      'labels on PrivateTest that are equal',
      'largest difference of probabilities',
    ],
    rows: interop.huggingface.models.map(({ model, n, equal, difference: most }) => [
      shown(model),
      `${equal.toLocaleString('en')} of ${n.toLocaleString('en')}`,
      difference(most),
    ]),
  },
  tracking: {
    page: 'docs/interop.md',
    columns: ['read by', 'what was there of a run that was interrupted once'],
    rows: [
      [
        versionsOf(interop.tensorboard),
        `${interop.tensorboard.scalars} scalars, each of ${interop.tensorboard.epochs} epochs once; ${interop.tensorboard.hparams} options; ` +
          `the confusion matrix, ${interop.tensorboard.image.join('x')}`,
      ],
      [
        versionsOf(interop.mlflow),
        `${interop.mlflow.runs} run, ${interop.mlflow.status.toLowerCase()}; each of ${interop.mlflow.epochs} epochs once; ` +
          `${interop.mlflow.params} parameters; ${interop.mlflow.artifacts.length} files, the model byte for byte`,
      ],
    ],
  },
  serving: {
    page: 'docs/serving.md',
    columns: ['pictures', 'a second', 'p50 / p99, ms', 'the other server', 'p50 / p99, ms', 'ratio', "event loop's delay, p99, ms"],
    rows: [servingRow('raw', 'raw, 48x48'), servingRow('jpeg', 'JPEG, 200x200')],
  },
  overload: {
    page: 'docs/serving.md',
    columns: [
      'pictures',
      'asked a second',
      'answered',
      '503',
      'wrong',
      'lost',
      '`/healthz`, p50 / p99, ms',
      "event loop's delay, worst p99 of 5 s, ms",
      'memory in the second half, MiB',
    ],
    rows: [overloadRow('raw', serving.raw), overloadRow('JPEG', serving.jpeg)],
  },
  perturbations: {
    page: 'docs/perturbations.md',
    columns: ['type', 'flag', 'what it does', 'strength, severities 1 to 5', 'why these five'],
    rows: PERTURBATION_TYPES.map((type) => {
      const { flag, describe, main, severities, reason } = PERTURBATIONS[type];
      return [`\`${type}\``, `\`--${flag}\``, describe, `\`${main}\` ${severities.map((each) => each[main]).join(', ')}`, reason];
    }),
  },
};

const table = ({ columns, rows }) => [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const text = (list) => list.words ?? `\n\n${table(list)}\n\n`;

const check = process.argv.includes('--check');
for (const [name, list] of Object.entries(LISTS))
  for (const where of [list.page].flat()) {
    const file = fileURLToPath(new URL(`../${where}`, import.meta.url));
    const page = readFileSync(file, 'utf8');
    const place = new RegExp(`(<!-- list: ${name} -->)[^]*?(<!-- end of list -->)`);
    if (!place.test(page)) throw new Error(`${where} has no place for the list ${name}`);
    const filled = page.replace(place, (_, start, end) => start + text(list) + end);
    const expected = await prettier.format(filled, { ...(await prettier.resolveConfig(file)), parser: 'markdown' });
    if (!check) writeFileSync(file, expected);
    else if (page !== expected) {
      console.error(`docs-lists: the list of ${name} in ${where} is not what the registry has; run: node scripts/docs-lists.mjs`);
      process.exit(1);
    }
  }
console.log(`docs-lists: ${Object.keys(LISTS).join(', ')} are ${check ? 'what their registries have' : 'written'}`);
