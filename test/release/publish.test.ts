import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REQUIRED } from '../../scripts/release/required.mjs';

const script = path.resolve('scripts/release/check-publish.mjs');
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], { cwd: root, stdio: 'pipe' });

/** A package that may be published: its files, CHANGELOG.md, a commit and its tag. */
let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'fer-publish-'));
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name: 'fer-cudnn',
      version: '1.2.3',
      files: ['prebuilds'],
      repository: { url: 'git+https://host/fer/fer.git' },
    }),
    'CHANGELOG.md': '# Changelog\n\n## 1.2.3 (2026-11-30)\n\n- A change.\n\n## 1.2.2 (2026-10-01)\n',
    '.gitignore': 'prebuilds/\n*.tgz\n',
    ...Object.fromEntries(REQUIRED.map(({ file }) => [file, 'binary'])),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  git('init', '--quiet');
  commit();
  git('tag', 'v1.2.3');
});
afterEach(() => rmSync(root, { recursive: true }));

function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'all');
}

/** What the guard says; `github` stands for the variables that a workflow sets. */
function check(args: string[] = [], github: Record<string, string> = {}): { status: number | null; output: string } {
  const env = { ...process.env, GITHUB_REF_TYPE: '', GITHUB_REF_NAME: '', GITHUB_REPOSITORY: '', ...github };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--root', root, ...args], { encoding: 'utf8', env });
  return { status, output: stdout + stderr };
}

const reasons = (output: string): string[] => output.match(/^- .*\n {2}remedy: .*$/gm) ?? [];
/** Expects this one refusal and no other. */
function expectRefusal({ status, output }: ReturnType<typeof check>, cause: string, remedy: string): void {
  expect(reasons(output)).toEqual([`- ${cause}\n  remedy: ${remedy}`]);
  expect(status).toBe(1);
}

describe('the guard of npm publish', () => {
  it('lets pass what is complete, from a folder and from a tarball', () => {
    expect(check()).toEqual({ status: 0, output: 'check-publish: nothing speaks against fer-cudnn 1.2.3\n' });
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json'], { cwd: root, encoding: 'utf8' }));
    expect(check([path.join(root, filename)])).toMatchObject({ status: 0 });
  });

  it('refuses an empty file', () => {
    const { what, file, remedy } = REQUIRED.at(-1)!;
    writeFileSync(path.join(root, file), '');
    expectRefusal(check(['--files']), `${what} is missing: ${file} is empty`, remedy);
  });

  it('judges a given tarball by what is in it, not by the folder', () => {
    const { what, file, remedy } = REQUIRED[0];
    rmSync(path.join(root, file));
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json'], { cwd: root, encoding: 'utf8' }));
    writeFileSync(path.join(root, file), 'binary');
    expectRefusal(check([path.join(root, filename)]), `${what} is missing: ${file} is not in the tarball`, remedy);
  });

  it('refuses a tarball of another version', () => {
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json'], { cwd: root, encoding: 'utf8' }));
    writeFileSync(path.join(root, 'package.json'), JSON.stringify({ name: 'fer-cudnn', version: '1.2.4' }));
    expectRefusal(
      check(['--files', path.join(root, filename)]),
      'the tarball is of version 1.2.3, package.json of 1.2.4',
      'npm pack, and publish what it writes',
    );
  });

  it.each([
    ['without a section', '## 1.2.2 (2026-10-01)'],
    ['without a date', '## 1.2.3 (unreleased)'],
    ['of a longer version', '## 1.2.3-rc.1 (2026-11-30)'],
  ])('refuses a version %s in CHANGELOG.md', (_, heading) => {
    writeFileSync(path.join(root, 'CHANGELOG.md'), `# Changelog\n\n${heading}\n`);
    commit();
    git('tag', '--force', 'v1.2.3');
    const today = new Date().toISOString().slice(0, 10);
    expectRefusal(check(['--state']), 'CHANGELOG.md has no dated section for 1.2.3', `give it the heading: ## 1.2.3 (${today})`);
  });

  it('refuses a dirty tree', () => {
    appendFileSync(path.join(root, 'CHANGELOG.md'), '- More.\n');
    writeFileSync(path.join(root, 'new.txt'), '');
    expectRefusal(
      check(['--state']),
      'the working tree is dirty:  M CHANGELOG.md, ?? new.txt',
      'commit it, or put it away with: git stash --include-untracked',
    );
  });

  const remedy = "git tag v1.2.3, where the version is right; otherwise npm version <the tag's> --no-git-tag-version, and commit";
  it('refuses a commit without a tag, or with that of another version', () => {
    git('tag', '--delete', 'v1.2.3');
    expectRefusal(check(['--state']), 'the commit has no tag, and version 1.2.3 needs v1.2.3', remedy);
    git('tag', 'v1.2.4');
    expectRefusal(check(['--state']), 'the commit has the tag v1.2.4, and version 1.2.3 needs v1.2.3', remedy);
  });

  it('goes by the tag that started the workflow', () => {
    const github = { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v9.9.9' };
    expectRefusal(check(['--state'], github), 'the commit has the tag v9.9.9, and version 1.2.3 needs v1.2.3', remedy);
    expect(check(['--state'], { ...github, GITHUB_REF_NAME: 'v1.2.3' })).toMatchObject({ status: 0 });
  });

  it('refuses another repository than package.json names, where a workflow publishes', () => {
    expectRefusal(
      check(['--state'], { GITHUB_SERVER_URL: 'https://host', GITHUB_REPOSITORY: 'somebody/fork' }),
      'package.json names the repository git+https://host/fer/fer.git, and npm gives provenance to git+https://host/somebody/fork.git alone',
      'npm pkg set repository.url=git+https://host/somebody/fork.git, and commit',
    );
    expect(check(['--state'], { GITHUB_SERVER_URL: 'https://host', GITHUB_REPOSITORY: 'fer/fer' })).toMatchObject({ status: 0 });
  });

  it('refuses a tarball without the plug-in or without a platform, and names every reason at once', () => {
    rmSync(path.join(root, 'prebuilds'), { recursive: true });
    writeFileSync(path.join(root, 'CHANGELOG.md'), '# Changelog\n');
    git('tag', '--delete', 'v1.2.3');
    const { status, output } = check();
    expect(status).toBe(1);
    expect(reasons(output).slice(0, REQUIRED.length)).toEqual(
      REQUIRED.map(({ what, file, remedy }) => `- ${what} is missing: ${file} is not in the tarball\n  remedy: ${remedy}`),
    );
    expect(reasons(output)).toHaveLength(REQUIRED.length + 3);
  });

  it('is what npm publish asks first', () => {
    expect(JSON.parse(readFileSync('package.json', 'utf8')).scripts.prepublishOnly).toBe('node scripts/release/check-publish.mjs');
  });
});
