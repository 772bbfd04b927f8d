#!/usr/bin/env node
// Writes the tables of bench/README.md from a result of bench/run.mjs: node bench/table.mjs [bench/results/<name>.json]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const folder = fileURLToPath(new URL('.', import.meta.url));
const source = process.argv[2] ?? path.join(folder, 'results', 'cpu-2-threads.json');
const page = path.join(folder, 'README.md');
const result = JSON.parse(readFileSync(source, 'utf8'));
const GOALS = { 'training narrow': 4, 'training wide': 2, 'narrow 1': 2, 'narrow 64': 2 };

const row = (...cells) => `| ${cells.join(' | ')} |`;
const figure = (ms, digits) => `${ms.toPrecision(digits)} ms`;
const both = (item, digits = 3) => (item ? `${figure(item.fastest, digits)} (${figure(item.milliseconds, digits)})` : '–');
const ratio = (item) => (item.ratio === undefined ? '–' : `${item.ratioOfFastest.toFixed(2)} (${item.ratio.toFixed(2)})`);
const percent = (item) => `${(100 * item.shareOfPeakFastest).toFixed(0)} %`;

const training = result.training.filter((item) => item.milliseconds);
const text = `${result.threads} threads of an ${result.cpu} (${result.isa}), ${result.date}, from \`${path.basename(source)}\`. Each cell: the fastest, and in brackets
the median, of alternating rounds; share of peak is the fastest's, of ${result.peakGflops.allThreads} GFLOP/s that \`bench/peak.cc\` measured in the run.

${row('training step, 48x48, batch 40', 'this package', 'share of peak', 'PyTorch', 'PyTorch, channels last', 'ratio to the better', 'goal')}
${row(...Array(7).fill('---'))}
${training.map((item) => row(item.width, both(item), percent(item), both(item.pytorch.default), both(item.pytorch.channelsLast), ratio(item), GOALS[`training ${item.width}`])).join('\n')}

${row('inference, an image', 'this package', 'share of peak', 'ONNX Runtime', 'ratio', 'goal')}
${row(...Array(6).fill('---'))}
${result.inference.map((item) => row(`${item.width}, batch ${item.batch}`, both(item), percent(item), both(item.onnxRuntime), ratio(item), GOALS[`${item.width} ${item.batch}`] ?? '–')).join('\n')}
`;
const old = readFileSync(page, 'utf8');
const marked = /(<!-- tables: written by bench\/table\.mjs -->\n)[\s\S]*?(<!-- end of tables -->)/;
if (!marked.test(old)) throw new Error('bench/README.md has lost the marks around its tables');
const made = old.replace(marked, (_, begin, end) => `${begin}\n${text}\n${end}`);
writeFileSync(page, await format(made, { ...(await resolveConfig(page)), parser: 'markdown' }));
