#!/usr/bin/env node
// Writes the forms of data sets into the pages that list them, between <!-- forms --> (a table) or <!-- forms: sentence --> and
// <!-- /forms -->, from the registry. `--check` compares instead. Needs: npm run build.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FORMS } from '../dist/data/registry.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['README.md', 'docs/errors.md'];

const code = (name) => name.replace(/[\w-]*\.\w+(\.gz)?/g, '`$&`');
const rows = FORMS.flatMap(({ looks }) => looks.map(([name, what]) => `| ${code(name)} | ${what} |`));
const LISTS = {
  '': `\n\n| a data set is one of | |\n| --- | --- |\n${rows.join('\n')}\n\n`,
  ': sentence': FORMS.map(({ describe }) => describe).join('; '),
};

for (const name of PAGES) {
  const page = `${root}${name}`;
  const text = readFileSync(page, 'utf8');
  const filled = text.replace(
    /(<!-- forms(: sentence)? -->)[^]*?(<!-- \/forms -->)/g,
    (_, start, kind = '', end) => start + LISTS[kind] + end,
  );
  const expected = await format(filled, { ...(await resolveConfig(page)), parser: 'markdown' });
  if (!process.argv.includes('--check')) writeFileSync(page, expected);
  else if (text !== expected) {
    console.error(`check-docs: ${name} lists other forms of data sets than lib/data/registry.ts; run: node scripts/docs-forms.mjs`);
    process.exit(1);
  }
}
if (process.argv.includes('--check')) console.log(`check-docs: ${PAGES.join(' and ')} list the forms that are read`);
