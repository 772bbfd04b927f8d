#!/usr/bin/env node
// Refuses to publish what must not be published, and says what to do about it: `npm publish` runs it (prepublishOnly), and so does
// .github/workflows/release.yml on the tarball that it has tried.
//   check-publish.mjs [tarball]           everything; the files are the tarball's, or else those that `npm pack` would take
//   check-publish.mjs --files [tarball]   only the files: every platform's addon, the plug-in, the version
//   check-publish.mjs --state             only what stands around them: CHANGELOG.md, the working tree, the tag, the repository
// `--root <folder>` is another package than this one, for the tests.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../flags.mjs';
import { REQUIRED } from './required.mjs';

const {
  values: { root, files, state },
  positionals: [tarball],
} = readFlags({
  allowPositionals: true,
  options: {
    root: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
    files: { type: 'boolean', default: false },
    state: { type: 'boolean', default: false },
  },
});
const output = (command, args) => execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');
const { version, repository } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** What is, or would be, in the tarball. */
function rulesOfFiles() {
  const spec = tarball ? [path.resolve(tarball)] : [];
  const [packed] = JSON.parse(output('npm', ['pack', ...spec, '--dry-run', '--json', '--ignore-scripts']));
  const sizes = new Map(packed.files.map((file) => [file.path, file.size]));
  return [
    ...REQUIRED.map(({ what, file, remedy }) => ({
      broken: !sizes.get(file),
      cause: `${what} is missing: ${file} is ${sizes.has(file) ? 'empty' : 'not in the tarball'}`,
      remedy,
    })),
    {
      broken: packed.version !== version,
      cause: `the tarball is of version ${packed.version}, package.json of ${version}`,
      remedy: 'npm pack, and publish what it writes',
    },
  ];
}

/** What the tarball is published from. */
function rulesOfState() {
  const { GITHUB_REF_TYPE, GITHUB_REF_NAME, GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
  const headings = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').match(/^## .*$/gm) ?? [];
  const changed = lines(output('git', ['status', '--porcelain']));
  const tag = `v${version}`;
  const tags = GITHUB_REF_TYPE === 'tag' ? [GITHUB_REF_NAME] : lines(output('git', ['tag', '--points-at', 'HEAD']));
  const here = GITHUB_REPOSITORY ? `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` : repository?.url;
  return [
    {
      broken: !headings.some((heading) => heading.startsWith(`## ${version} (`) && /\(\d{4}-\d\d-\d\d\)$/.test(heading)),
      cause: `CHANGELOG.md has no dated section for ${version}`,
      remedy: `give it the heading: ## ${version} (${new Date().toISOString().slice(0, 10)})`,
    },
    {
      broken: changed.length > 0,
      cause: `the working tree is dirty: ${changed.slice(0, 5).join(', ')}${changed.length > 5 ? `, and ${changed.length - 5} more` : ''}`,
      remedy: 'commit it, or put it away with: git stash --include-untracked',
    },
    {
      broken: !tags.includes(tag),
      cause: `the commit has ${tags.length ? `the tag ${tags.join(', ')}` : 'no tag'}, and version ${version} needs ${tag}`,
      remedy: `git tag ${tag}, where the version is right; otherwise npm version <the tag's> --no-git-tag-version, and commit`,
    },
    {
      broken: repository?.url !== here,
      cause: `package.json names the repository ${repository?.url}, and npm gives provenance to ${here} alone`,
      remedy: `npm pkg set repository.url=${here}, and commit`,
    },
  ];
}

const rules = [...(state ? [] : rulesOfFiles()), ...(files ? [] : rulesOfState())];
const refusals = rules.filter(({ broken }) => broken);
if (refusals.length > 0) {
  console.error(`check-publish: fer-cudnn ${version} is not to be published`);
  for (const { cause, remedy } of refusals) console.error(`- ${cause}\n  remedy: ${remedy}`);
  process.exit(1);
}
console.log(`check-publish: nothing speaks against fer-cudnn ${version}`);
