#!/usr/bin/env node
// What the options for rare classes do to the recall of disgust: preset clean, narrow, one training each, all of one length,
// from random weights or, with --from, from a trained model; the last epoch counts, whatever the validation says.
//   node bench/balance.mjs <fer2013.csv> --runs <folder> [--from <model>] [--epochs 25] [--learning-rate 0.006] [--seed 1]
//     [--threads 0] [--only none,sampling-0.5] [--out bench/results/balance]
// Resumable: a finished variant is read from --out, an interrupted one goes on from its folder below --runs. Needs: npm run build.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readFlags } from '../scripts/flags.mjs';
import { loadDataSet, MiniXception, wilsonInterval } from '../dist/index.js';

const VARIANTS = {
  none: {},
  'class-weights': { balanceClasses: true },
  'sampling-0.5': { balancedSampling: 0.5 },
  'sampling-1': { balancedSampling: 1 },
  'sampling-0.5-augmented': { balancedSampling: 0.5, rareAugmentation: 1 },
  'sampling-1-augmented': { balancedSampling: 1, rareAugmentation: 1 },
};

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    from: { type: 'string' },
    epochs: { type: 'string', default: '25' },
    'learning-rate': { type: 'string', default: '0.006' },
    threads: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: Object.keys(VARIANTS).join() },
    out: { type: 'string', default: 'bench/results/balance' },
  },
});
const data = await loadDataSet(positionals[0]);
mkdirSync(values.out, { recursive: true });

async function train(variant) {
  const runFolder = path.join(values.runs, variant);
  const resume = existsSync(path.join(runFolder, 'last.safetensors'));
  const seed = Number(values.seed);
  const threads = Number(values.threads);
  const model = values.from ? await MiniXception.load(values.from, { threads }) : MiniXception.create({ seed, threads });
  const own = { selectBy: 'last', epochs: Number(values.epochs), learningRate: Number(values['learning-rate']), seed };
  const fresh = { preset: 'clean', ...own, ...VARIANTS[variant] };
  const { config, chosen, evaluation } = await model.fit(data, { ...(resume ? { resume } : fresh), runFolder });
  const from = values.from ? path.basename(path.dirname(values.from)) : 'random weights';
  return { from, config, chosen, PublicTest: await model.evaluate(data, { split: 'PublicTest' }), PrivateTest: evaluation };
}

const percent = (value) => (100 * value).toFixed(1);
function row(variant, { config, PublicTest, PrivateTest }) {
  const cells = [PublicTest, PrivateTest].flatMap((metrics) => {
    const { recall, precision, support } = metrics.perClass.find((c) => c.name === 'disgust');
    const [low, high] = wilsonInterval(Math.round(recall * support), support);
    return [
      percent(metrics.accuracy),
      percent(metrics.macroRecall),
      `${percent(recall)} (${percent(low)} to ${percent(high)})`,
      percent(precision),
    ];
  });
  return `| ${[variant, config.epochs, ...cells].join(' | ')} |`;
}

const figures = ['accuracy', 'macro recall', 'disgust recall', 'precision'];
const head = ['variant', 'epochs', ...['PublicTest', 'PrivateTest'].flatMap((split) => figures.map((figure) => `${split} ${figure}`))];
console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
for (const variant of values.only.split(',')) {
  const file = path.join(values.out, `${variant}.json`);
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(await train(variant), null, 2)}\n`);
  console.log(row(variant, JSON.parse(readFileSync(file, 'utf8'))));
}
