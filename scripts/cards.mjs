#!/usr/bin/env node
// Writes the cards of the models that come with the package, models/*/README.md, by the function that writes a run's; what the author adds
// is card.md beside. `--check` compares instead. Needs: npm run build.
//   node scripts/cards.mjs [--check] [--data fer2013.csv.gz]     with data: counts them anew into data.json
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { loadDataSet, readModelFile } from '../dist/index.js';
import { modelCard } from '../dist/training/card.js';
import { factsBeside } from '../dist/training/card-folder.js';
import { summaryOf } from '../dist/training/data-summary.js';

const { values } = readFlags({ options: { check: { type: 'boolean', default: false }, data: { type: 'string' } } });
const models = fileURLToPath(new URL('../models', import.meta.url));
const summary = values.data && `${JSON.stringify(summaryOf(await loadDataSet(values.data)), null, 2)}\n`;
for (const name of readdirSync(models)) {
  const folder = path.join(models, name);
  if (summary) writeFileSync(path.join(folder, 'data.json'), summary);
  const file = path.join(folder, 'model.safetensors');
  const { metadata } = await readModelFile(file);
  const expected = `${modelCard(await factsBeside(file, metadata))}\n`;
  const card = path.join(folder, 'README.md');
  if (!values.check) writeFileSync(card, expected);
  else if (readFileSync(card, 'utf8') !== expected) {
    console.error(`cards: models/${name}/README.md is not what its files say; run: node scripts/cards.mjs`);
    process.exit(1);
  }
}
console.log(`cards: models/*/README.md ${values.check ? 'are what their files say' : 'are written'}`);
