/**
 * The code blocks of README.md, docs/ and CONTRIBUTING.md run in a project that has the package installed, as they stand there, beside
 * files of the names they use. What needs the repository (a build, a test, a benchmark, a container) is not for users of the package: its
 * blocks are listed below, and nothing else is left out.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, inject, it } from 'vitest';
import { faceFile, faceFolder, facesCsv, kerasModel, subjectFolder } from './faces.js';
import { run } from './installed.js';

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'));

interface Block {
  name: string;
  language: string;
  code: string;
}
const blocks = pages.flatMap((page): Block[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```(js|ts|sh|bash|cjs|mjs)\n([^]*?)^```/gm)].map(([, language, code], i) => ({
    name: `${page}, block ${i + 1}`,
    language,
    code,
  })),
);

/** Commands of the repository, of a package manager, or of programs that a test cannot ask for. */
const FOR_A_CLONE = /^(git|npm(?! install fer-cudnn$)|node|bash|python3|docker|apt-get|scripts\/)\b/m;
/** What needs the optional packages, which the project here has not: test/server/ has them. */
const WITH_OPTIONAL_PACKAGES = /import \{ serve \}/;
const forUsers = blocks.filter(
  ({ language, code }) => (language !== 'sh' || !FOR_A_CLONE.test(code)) && !WITH_OPTIONAL_PACKAGES.test(code),
);

/** Runs the array that it is given, one task after the other: a cluster's part, not the package's. */
const SBATCH = `#!/bin/sh
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
task=0
while [ "$task" -le "$last" ]; do
  SLURM_ARRAY_TASK_ID=$task bash "$1" || exit 1
  task=$((task + 1))
done
`;

let template: string;
const bin = inject('bin');

/** Files of the names that the pages use, made once; each block has a copy of its own. */
beforeAll(async () => {
  template = mkdtempSync(path.join(inject('project'), '..', 'docs-'));
  const at = (...parts: string[]): string => path.join(template, ...parts);
  for (const name of ['face.jpg', 'a.jpg', 'b.jpg']) await faceFile(at(name));
  await faceFile(at('photo.jpg'), 0, 400);
  await faceFolder(at('mine'), ['train', 'test']);
  await subjectFolder(at('ck+48'));
  await kerasModel(at('fer2013_mini_XCEPTION.102-0.66.hdf5'));
  writeFileSync(at('fer2013.csv.gz'), gzipSync(facesCsv()));
  symlinkSync(path.join(inject('project'), 'node_modules'), at('node_modules'));
  cpSync('models/mini-xception-narrow/model.safetensors', at('model.safetensors'));
  const grid = /```yaml\n(# grid\.yaml[^]*?)```/.exec(readFileSync('docs/experiments.md', 'utf8'))![1];
  writeFileSync(at('grid.yaml'), grid.replace('epochs: 20', 'epochs: 1'));
  const trained = await run('fer-cudnn', ['train', '--data', 'fer2013.csv.gz', '--epochs', '1', '--out', 'runs/<folder>'], {
    cwd: template,
    bin,
  });
  expect(trained.stderr + trained.stdout).toContain('accuracy');
});

function project(name: string): string {
  const folder = path.join(template, '..', name.replace(/\W+/g, '-'));
  cpSync(template, folder, { recursive: true, verbatimSymlinks: true });
  writeFileSync(path.join(folder, 'sbatch'), SBATCH);
  chmodSync(path.join(folder, 'sbatch'), 0o755);
  return folder;
}

it('has something to run', () => {
  console.log(`${forUsers.length} of ${blocks.length} code blocks are for users; the others need the repository:`);
  for (const block of blocks) if (!forUsers.includes(block)) console.log(`  ${block.name}: ${block.code.split('\n')[0]}`);
  expect(forUsers.length).toBeGreaterThanOrEqual(25);
});

it.each(forUsers)('$name', async ({ name, language, code }) => {
  const cwd = project(name);
  const env = { XDG_CACHE_HOME: path.join(cwd, 'cache'), PATH: `${cwd}:${path.join(cwd, 'node_modules', '.bin')}:${bin}` };
  if (language === 'sh') {
    // Without a GPU, status 1 is what the pages say of a command that asks for one.
    const commands = code
      .replace('npm install fer-cudnn', `npm install --ignore-scripts --no-audit --no-fund ${inject('tarball')}`)
      .replaceAll('runs/<folder>', "'runs/<folder>'")
      .replace(/^[^#\n]*--device cuda/gm, '$& || [ $? = 1 ]');
    writeFileSync(path.join(cwd, 'block.sh'), `set -e\n${commands}`);
    const { status, stdout, stderr } = await run('sh', ['block.sh'], { cwd, bin, env });
    expect(status, stdout + stderr).toBe(0);
    return;
  }
  const file = language === 'ts' ? 'block.mts' : `block.${language === 'js' ? 'mjs' : language}`;
  writeFileSync(path.join(cwd, file), code);
  if (language === 'ts')
    execFileSync(path.resolve('node_modules/.bin/tsc'), ['--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', file], { cwd });
  const { status, stderr } = await run('node', [file.replace('.mts', '.mjs')], { cwd, bin, env });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
