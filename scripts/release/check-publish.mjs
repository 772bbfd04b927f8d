#!/usr/bin/env node
// Refuses to publish what must not be published, and says what to do about it: `npm publish` runs it (prepublishOnly), and so does
// .github/workflows/release.yml on the tarball that it has tried.
//   check-publish.mjs [tarball]           everything; the files are the tarball's, or else those that `npm pack` would take
//   check-publish.mjs --files [tarball]   only the files: every platform's addon, the plug-in, the version
//   check-publish.mjs --state             only what stands around them: CHANGELOG.md, the working tree, the tag
// `--root <folder>` is another package than this one, for the tests.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { REQUIRED } from './required.mjs';

const {
  values: { root, files, state },
  positionals: [tarball],
} = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
    files: { type: 'boolean', default: false },
    state: { type: 'boolean', default: false },
  },
});
const output = (command, args) => execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Refusals for what is, or would be, in the tarball. */
function checkFiles() {
  const spec = tarball ? [path.resolve(tarball)] : [];
  const [packed] = JSON.parse(output('npm', ['pack', ...spec, '--dry-run', '--json', '--ignore-scripts']));
  const there = new Map(packed.files.map((file) => [file.path, file.size]));
  return [
    ...REQUIRED.filter(({ file }) => !there.get(file)).map(({ what, file, remedy }) => ({
      cause: `${what} is missing: ${file} is ${there.has(file) ? 'empty' : 'not in the tarball'}`,
      remedy,
    })),
    ...(packed.version === version
      ? []
      : [
          {
            cause: `the tarball is of version ${packed.version}, package.json of ${version}`,
            remedy: 'npm pack, and publish what it writes',
          },
        ]),
  ];
}

/** Refusals for what the tarball is published from. */
function checkState() {
  const tag = `v${version}`;
  const changed = lines(output('git', ['status', '--porcelain']));
  const tags = process.env.GITHUB_REF_TYPE === 'tag' ? [process.env.GITHUB_REF_NAME] : lines(output('git', ['tag', '--points-at', 'HEAD']));
  const headings = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').match(/^## .*$/gm) ?? [];
  const dated = headings.some((heading) => heading.startsWith(`## ${version} (`) && /\(\d{4}-\d\d-\d\d\)$/.test(heading));
  return [
    dated
      ? undefined
      : {
          cause: `CHANGELOG.md has no dated section for ${version}`,
          remedy: `give it the heading: ## ${version} (${new Date().toISOString().slice(0, 10)})`,
        },
    changed.length === 0
      ? undefined
      : {
          cause: `the working tree is dirty: ${changed.slice(0, 5).join(', ')}${changed.length > 5 ? `, and ${changed.length - 5} more` : ''}`,
          remedy: 'commit it, or put it away with: git stash --include-untracked',
        },
    tags.includes(tag)
      ? undefined
      : {
          cause: `the commit has ${tags.length ? `the tag ${tags.join(', ')}` : 'no tag'}, and version ${version} needs ${tag}`,
          remedy: `git tag ${tag}, where the version is right; otherwise npm version <the tag's> --no-git-tag-version, and commit`,
        },
  ].filter(Boolean);
}

const refusals = [...(state ? [] : checkFiles()), ...(files ? [] : checkState())];
if (refusals.length > 0) {
  console.error(`check-publish: fer-cudnn ${version} is not to be published`);
  for (const { cause, remedy } of refusals) console.error(`- ${cause}\n  remedy: ${remedy}`);
  process.exit(1);
}
console.log(`check-publish: nothing speaks against fer-cudnn ${version}`);
