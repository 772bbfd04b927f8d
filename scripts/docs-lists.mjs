#!/usr/bin/env node
// Writes the lists in README.md and docs/ that a registry knows better, between `<!-- list: NAME -->` and `<!-- end of list -->` of their page.
// `--check` compares instead. Needs: npm run build.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { FORMS } from '../dist/data/registry.js';
import { EXPERIMENTS } from '../dist/experiments/registry.js';
import { PERTURBATION_TYPES, PERTURBATIONS } from '../dist/perturb/registry.js';

const inCode = (name) => name.replace(/[\w-]*\.\w+(\.gz)?/g, '`$&`');

/** A table has columns and rows; a list within a sentence has words. */
const LISTS = {
  forms: {
    page: 'README.md',
    columns: ['a data set is one of', ''],
    rows: FORMS.flatMap(({ looks }) => looks.map(([name, what]) => [inCode(name), what])),
  },
  'forms, in a sentence': { page: 'docs/errors.md', words: FORMS.map(({ describe }) => describe).join('; ') },
  experiments: {
    page: 'docs/experiments.md',
    columns: ['experiment', 'what it shows', 'a cell is'],
    rows: EXPERIMENTS.map(({ name, summary, cell }) => [`\`${name}\``, summary, cell]),
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
for (const [name, list] of Object.entries(LISTS)) {
  const file = fileURLToPath(new URL(`../${list.page}`, import.meta.url));
  const page = readFileSync(file, 'utf8');
  const place = new RegExp(`(<!-- list: ${name} -->)[^]*?(<!-- end of list -->)`);
  if (!place.test(page)) throw new Error(`${list.page} has no place for the list ${name}`);
  const filled = page.replace(place, (_, start, end) => start + text(list) + end);
  const expected = await prettier.format(filled, { ...(await prettier.resolveConfig(file)), parser: 'markdown' });
  if (!check) writeFileSync(file, expected);
  else if (page !== expected) {
    console.error(`docs-lists: the list of ${name} in ${list.page} is not what the registry has; run: node scripts/docs-lists.mjs`);
    process.exit(1);
  }
}
console.log(`docs-lists: ${Object.keys(LISTS).join(', ')} are ${check ? 'what their registries have' : 'written'}`);
