#!/usr/bin/env node
// Mini_XCEPTION in Keras with one part changed at a time (scripts/keras/variants.py makes them): what the import says of each, and how
// far its logits are from those of a forward pass in NumPy where it is honoured. Fails where they are further than 1e-4, and where a
// refusal names no layer. Needs a build, python3 with venv, and a package index for pip.
//   node scripts/keras-variants.mjs [--folder build/keras-variants] [--peer <file.hdf5>] [--write]
// --write puts the table into docs/keras.md. --peer adds a file of others: imported, and held against NumPy's pass over the same file.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { MiniXception } from '../dist/index.js';
import { pythonWith } from '../test/interop/programs.mjs';

const TOLERANCE = 1e-4;
const root = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = readFlags({
  options: {
    folder: { type: 'string', default: path.join(root, 'build/keras-variants') },
    peer: { type: 'string' },
    write: { type: 'boolean' },
  },
});

const peer = flags.peer === undefined ? [] : [path.resolve(flags.peer)];
const { python } = pythonWith('keras', ['keras==3.12.0', 'jax==0.10.2', 'h5py==3.16.0', 'numpy==2.4.6']);
execFileSync(path.join(python.bin, 'python'), [path.join(root, 'scripts/keras/variants.py'), flags.folder, ...peer], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

/** The largest difference from NumPy's logits, over all pictures and classes. */
async function difference(model, { pixels, side, logits }) {
  const images = Uint8Array.from(pixels.flat());
  const data = {
    name: 'variants',
    source: 'memory',
    synthetic: true,
    classes: [...model.classes],
    size: side,
    images,
    labels: new Uint8Array(pixels.length),
    splits: new Map([['Test', Uint32Array.from(pixels, (_, row) => row)]]),
    notes: [],
    badRows: [],
  };
  const ours = await model.logitsOf(data, 'Test');
  const theirs = logits.flat();
  if (ours.length !== theirs.length) throw new Error(`${ours.length} logits instead of ${theirs.length}`);
  return Math.max(...theirs.map((value, i) => Math.abs(value - ours[i])));
}

const wrong = [];
const rows = [];
for (const variant of JSON.parse(readFileSync(path.join(flags.folder, 'variants.json'), 'utf8'))) {
  const file = path.resolve(flags.folder, variant.file);
  const name = variant.what ? `${variant.name}: ${variant.what}` : variant.name;
  let model;
  try {
    model = await MiniXception.load(file, { threads: 1 });
    const worst = await difference(model, variant);
    if (!(worst <= TOLERANCE)) wrong.push(`${variant.name}: ${worst}`);
    rows.push([name, 'honoured', `largest difference of logits ${worst.toExponential(1)}`]);
  } catch (error) {
    const { reason } = error.details ?? {};
    if (error.code !== 'ERR_FER_MODEL_FORMAT' || !/layer |outputs/.test(reason)) wrong.push(`${variant.name}: ${error.message}`);
    rows.push([name, 'refused', reason ?? error.message]);
  } finally {
    model?.dispose();
  }
}
const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
for (const row of rows)
  console.log(
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
const honoured = rows.filter(([, verdict]) => verdict === 'honoured').length;
console.log(
  `\n${rows.length} variants: ${honoured} honoured, all within ${TOLERANCE} of NumPy's logits; ${rows.length - honoured} refused by name`,
);

if (flags.write) {
  const page = path.join(root, 'docs/keras.md');
  const table = [['variant', 'import', ''], ['---', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const [before, after] = ['<!-- variants -->', '<!-- end of variants -->'];
  const text = readFileSync(page, 'utf8');
  const cut = text.slice(0, text.indexOf(before) + before.length);
  writeFileSync(page, `${cut}\n\n${table}\n\n${text.slice(text.indexOf(after))}`);
  execFileSync('npx', ['prettier', '--write', page], { cwd: root, stdio: 'ignore' });
}
if (wrong.length > 0) {
  console.error(`\nwrong:\n${wrong.join('\n')}`);
  process.exitCode = 1;
}
