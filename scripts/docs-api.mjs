#!/usr/bin/env node
// Writes docs/api.md, the list of what the package exports, and build/api/, the whole reference as HTML, both by TypeDoc from the
// docstrings. `--check` compares the list instead. Fails on an export, or a member of one, without a docstring. Needs: npm run build.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { Application, ReflectionKind } from 'typedoc';
import { OPTIONS } from '../dist/training/options.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = `${root}docs/api.md`;
const check = process.argv.includes('--check');

/** Headings of the list, with the rooms of lib/ whose exports stand under them. */
const SECTIONS = {
  'A network': ['model', 'pretrained', 'network', 'onnx', 'predict', 'evaluate', 'device'],
  'Faces on a photograph': ['faces'],
  'Explanations of a prediction': ['explain'],
  'Data sets and pictures': ['data'],
  Training: ['training', 'tracking'],
  Figures: ['metrics'],
  Charts: ['charts'],
  'Perturbations and robustness': ['perturb', 'experiments/robustness'],
  'Experiments and their report': ['experiments', 'report'],
  'Models over HTTP': ['server'],
  Errors: ['errors'],
};

const app = await Application.bootstrap({
  entryPoints: [`${root}lib/index.ts`],
  tsconfig: `${root}tsconfig.json`,
  name: 'fer-cudnn',
  readme: 'none',
  excludeInternal: true,
  disableGit: true,
  sourceLinkTemplate: '{path}',
  skipErrorChecking: true, // tsc has done it
  logLevel: 'Warn',
  // Types that a signature names and the package does not export are told within what it exports.
  validation: { notDocumented: true, notExported: false, invalidLink: true, rewrittenLink: false, unusedMergeModuleWith: false },
});
const project = await app.convert();
if (!project) process.exit(1);
app.validate(project);

/** What the docstring of a training option says: its line of help, range and default, which the command line has too. */
function optionText({ kind, help, min, max, default: standard }) {
  const numeric = kind === 'integer' || kind === 'number';
  const range = !numeric ? [] : max === Number.MAX_SAFE_INTEGER ? [`from ${min}`] : [`${min} to ${max}`];
  const rest = [...range, `default ${kind === 'models' ? 'none' : JSON.stringify(standard)}`].join(', ');
  return [help, rest].map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(' ');
}
const textOf = (comment) => (comment?.summary ?? []).map(({ text }) => text).join('');
const config = project.children.find(({ name }) => name === 'TrainingConfig');
for (const { name, comment } of config.children)
  if (textOf(comment) !== optionText(OPTIONS[name]))
    app.logger.warn(`The docstring of TrainingConfig.${name} is not what OPTIONS says; write: /** ${optionText(OPTIONS[name])} */`);

if (app.logger.warningCount > 0 || app.logger.errorCount > 0) {
  console.error('docs-api: every export and its members need a docstring: what it is, with shapes, units, ranges, defaults and errors');
  process.exit(1);
}

/** The section of an export: that of the longest path in SECTIONS which its file's begins with. */
function sectionOf({ name, sources }) {
  const file = sources[0].fullFileName.slice(`${root}lib/`.length);
  const rooms = Object.entries(SECTIONS).flatMap(([section, list]) => list.map((room) => ({ section, room })));
  const fits = rooms.filter(({ room }) => file.startsWith(`${room}/`) || file === `${room}.ts`);
  if (fits.length === 0) throw new Error(`${name} of lib/${file} has no section in scripts/docs-api.mjs`);
  return fits.sort((a, b) => b.room.length - a.room.length)[0].section;
}

const documented = ({ comment, signatures, getSignature }) => comment ?? signatures?.[0].comment ?? getSignature?.comment;
/** The first sentence, in one line. */
const sentence = (reflection) => /^[^]*?\.(?=\s|$)/.exec(textOf(documented(reflection)))[0].replace(/\s+/g, ' ');
const parameters = ({ signatures: [{ parameters: list = [] }] }) =>
  list.map(({ name, flags, defaultValue }) => (flags.isOptional || defaultValue !== undefined ? `${name}?` : name)).join(', ');
const isType = ({ kind }) => kind === ReflectionKind.Interface || kind === ReflectionKind.TypeAlias;

const shown = (reflection, of = '') => `\`${of}${reflection.name}${reflection.signatures ? `(${parameters(reflection)})` : ''}\``;

/** Rows of an export: its own, and of a class its methods'. */
function rows(reflection) {
  const own = [shown(reflection), sentence(reflection)];
  if (reflection.kind !== ReflectionKind.Class || reflection.name === 'FerError') return [own];
  const methods = reflection.children
    .filter(({ kind, name }) => kind === ReflectionKind.Method && !name.startsWith('['))
    .sort((a, b) => a.sources[0].line - b.sources[0].line);
  return [own, ...methods.map((method) => [shown(method, method.flags.isStatic ? `${reflection.name}.` : '.'), sentence(method)])];
}

const body = Object.keys(SECTIONS).map((section) => {
  const exports = project.children.filter((reflection) => sectionOf(reflection) === section);
  const values = exports.filter((reflection) => !isType(reflection)).flatMap(rows);
  const types = exports.filter(isType).map((type) => shown(type));
  const table = ['| | |', '| --- | --- |', ...values.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
  return [`## ${section}`, ...(values.length ? [table] : []), ...(types.length ? [`Types: ${types.join(', ')}.`] : [])].join('\n\n');
});
const text = `# What the package exports

\`npm run docs:api\` writes this list, and the whole reference with every type, option, default and error as HTML into \`build/api/\`.
The reference is not kept in the repository: it says what the docstrings in \`lib/\` say, which editors show, and would change with
each of them. \`scripts/test.sh\` fails on an export, or a member of one, without a docstring.

${body.join('\n\n')}
`;
const expected = await prettier.format(text, { ...(await prettier.resolveConfig(page)), parser: 'markdown' });
if (check) {
  if (readFileSync(page, 'utf8') !== expected) {
    console.error('docs-api: docs/api.md is not what the package exports; run: npm run docs:api');
    process.exit(1);
  }
  console.log('docs-api: every export has a docstring, and docs/api.md lists them');
} else {
  writeFileSync(page, expected);
  await app.generateDocs(project, `${root}build/api`);
  console.log('docs-api: docs/api.md and build/api/index.html are written');
}
