/**
 * What a message advises is done, and helps: each row provokes a message in the installed package, finds the advice in it, and takes it.
 * `ELSEWHERE` names the tests that take the advice of other messages. A message of lib/ that advises something and is in neither list
 * fails the last test.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { beforeEach, expect, inject, it } from 'vitest';
import { faceFiles } from './faces.js';
import { run, type Outcome } from './installed.js';

const cwd = path.join(inject('project'), 'remedies');
const place = { cwd, bin: inject('bin') };

interface Remedy {
  /** A command line after "fer-cudnn"; it fails. */
  provoke: string;
  /** Set for both. */
  env?: NodeJS.ProcessEnv;
  advice: string;
  /** The command line with the advice taken, and the environment where that is what was advised. */
  then: string;
  thenEnv?: NodeJS.ProcessEnv;
}

const TRAIN = 'train --data faces.csv --preset quick --epochs 1';
const REMEDIES: readonly Remedy[] = [
  {
    provoke: 'evaluate --data training-only',
    advice: 'choose one of Training with --split',
    then: 'evaluate --data training-only --split Training',
  },
  { provoke: 'explain - < face.png', advice: 'say where it goes with -o', then: 'explain - -o cam.png < face.png' },
  {
    provoke: 'perturb face.png --blur 1 --severity 2',
    advice: '--severity goes with --all',
    then: 'perturb face.png --all --severity 2 -o all.png',
  },
  { provoke: 'perturb face.png', advice: 'give one, such as --rotate 15, or --all', then: 'perturb face.png --rotate 15' },
  { provoke: `${TRAIN} --from narrow --width wide`, advice: 'leave out --width', then: `${TRAIN} --from narrow --out tuned` },
  { provoke: `${TRAIN} --new-head`, advice: '--new-head goes with --from', then: `${TRAIN} --new-head --from narrow --out headed` },
  { provoke: 'evaluate --data faces.csv --split-by random', advice: 'leave out --split-by', then: 'evaluate --data faces.csv' },
  { provoke: `${TRAIN} --out taken`, advice: 'resume the run in it, or choose another folder', then: `${TRAIN} --out free` },
  {
    provoke: 'export narrow -o hub --layout huggingface --softmax',
    advice: 'leave out --softmax',
    then: 'export narrow -o hub --layout huggingface',
  },
  { provoke: 'train --resume run --epochs 3', advice: 'leave out --epochs', then: 'train --resume run' },
  { provoke: 'train --resume moved', advice: 'say where it is with --data', then: 'train --resume moved --data faces.csv' },
  {
    provoke: 'experiment hyperparameters --data faces.csv --grid seeds.yaml --dry-run',
    advice: 'seeds are not part of a grid; give them with --seeds',
    then: 'experiment hyperparameters --data faces.csv --grid grid.yaml --seeds 0 1 --dry-run',
  },
  {
    provoke: 'experiment explain --models robust --out experiments',
    advice: 'go on with its own, or choose another folder',
    then: 'experiment explain --models robust --out others',
  },
  {
    provoke: 'experiment data --data faces.csv --out jobs --emit kubernetes',
    advice: 'needs --image, which holds fer-cudnn, and --claim',
    then: 'experiment data --data faces.csv --out jobs --emit kubernetes --image fer --claim shared',
  },
  {
    provoke: 'data prepare faces.csv',
    env: { FER_CACHE_DIR: 'face.png/no-folder' },
    advice: 'cannot be written; name a folder that can in FER_CACHE_DIR',
    then: 'data prepare faces.csv',
    thenEnv: { FER_CACHE_DIR: path.join(cwd, 'packed') },
  },
  {
    provoke: 'data prepare faces.csv',
    env: { NODE_OPTIONS: `--require=${path.join(cwd, 'no-home.cjs')}`, HOME: undefined, FER_CACHE_DIR: '' },
    advice: 'this user has no folder for packed data sets; name one in FER_CACHE_DIR',
    then: 'data prepare faces.csv',
    thenEnv: { FER_CACHE_DIR: path.join(cwd, 'packed') },
  },
  { provoke: 'predict face.png --model narow', advice: 'expected narrow, robust or a file', then: 'predict face.png --model narrow' },
  {
    provoke: 'predict face.png --precision tf32',
    advice: 'expected precision fp32 or bf16 on the CPU',
    then: 'predict face.png --precision bf16',
  },
];

/** Fragments of messages, and the test in which the advice is taken. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'This is a clone; build it with: npm run build': 'test/package/messages.test.ts: a clone that was not built',
  'A bundler has moved the code': 'test/package/messages.test.ts: a bundle',
  'install it again: npm install fer-cudnn': 'test/package/messages.test.ts: a folder prebuilds that is missing',
  'use a newer system or container image': 'test/package/messages.test.ts: a glibc that is too old',
  'elsewhere build it in a clone of the repository': 'test/package/messages.test.ts: a system without a binary',
  asarUnpack: 'test/package/messages.test.ts: an asar archive',
  'submit them with: ': 'test/package/docs.test.ts: has something to run',
  'go on with: fer-cudnn train --resume': 'test/cli/cli.test.ts: stops on Ctrl-C, saves, and resumes',
  'train a new head for them ': 'test/cli/cli.test.ts: trains a new head for them, and goes on as the data were read',
  'say which are which with --classes': 'test/cli/cli.test.ts: takes the names of a map',
  'finding faces needs a package that is not installed: npm install': 'test/faces/faces.test.ts: says what to install',
  '--out goes with --faces': 'test/faces/faces.test.ts: refuses what means nothing',
  'needs ffmpeg, which is not on the PATH: install it': 'test/video/video.test.ts: says what to install',
  'say so with --frames': 'test/video/video.test.ts: refuses what means nothing',
  'answers in the browser need a package that is not installed beside the server: npm install':
    'test/server/page.test.ts: says what to install',
  'serving needs packages that are not installed: npm install': 'test/server/cli.test.ts: says in one line what to install',
  'choose another with --port': 'test/server/server.test.ts: refuses options that mean nothing',
  'name one with --token-file or FER_SERVER_TOKEN': 'test/server/cli.test.ts: takes its token from a file or the environment',
  'is in use by ': 'test/lock.test.ts: is held until it is given back',
  'no packed copy of the data set was kept': 'test/package/conveniences.test.ts: a cache folder that cannot be written',
};

/** The same of native/. Where the advice needs a GPU, its driver or cuDNN itself, the test stands fakes of them in its place. */
const NATIVE: Readonly<Record<string, string>> = {
  'in a clone, build it with: npm run build:cuda': 'scripts/cuda-check.sh: node scripts/build.mjs --cuda',
  'install or build both together': 'test/cuda/cuda.test.ts: belongs to this very version',
  'Install NVIDIA driver 525.60.13 or later': 'test/cuda/cuda.test.ts: takes the GPU where there is one',
  'Install it with: python3 -m pip install nvidia-cudnn-cu12': 'test/cuda/cuda.test.ts: passes over an incomplete cuDNN',
  '. Install it with: python3 -m pip install ': 'test/cuda/cuda.test.ts: names what cuDNN opens when it runs',
  'Reinstall it with: python3 -m pip install --force-reinstall': 'test/cuda/cuda.test.ts: survives a cuDNN without one of its parts',
  'bf16 is the faster one where the processor has it': 'test/package/remedies.test.ts: --precision bf16',
  'a smaller batch, network or data set may fit': 'native/test/cuda/backend_test.cc: the batch it advises trains',
  'use a smaller batch size': 'native/test/cuda/backend_test.cc: the batch it advises trains',
};
const NATIVE_ADVICE = /"[^"\n]*(?:Install|Reinstall|build it with|install or build|use a|a smaller|the faster one)[^"\n]*"/g;

beforeEach(async () => {
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
  const at = (name: string): string => path.join(cwd, name);
  await faceFiles(cwd);
  writeFileSync(at('seeds.yaml'), 'points: { A: { seed: 1 } }\n');
  writeFileSync(at('grid.yaml'), 'points: { A: { epochs: 1 } }\n');
  writeFileSync(
    at('no-home.cjs'),
    `require('node:os').homedir = () => { throw new Error('uv_os_homedir returned ENOENT'); };\nrequire('node:module').syncBuiltinESMExports();\n`,
  );
  mkdirSync(at('taken'));
  copyFileSync(at('face.png'), at('taken/face.png'));
});

const shell = (line: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  run('sh', ['-c', `fer-cudnn ${line}`], {
    ...place,
    env: { PATH: `${path.join(inject('project'), 'node_modules', '.bin')}:${place.bin}`, FER_CACHE_DIR: path.join(cwd, 'cache'), ...env },
  });

/** What must be there before a message can come. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'train --resume run --epochs 3': [`${TRAIN} --out run`],
  'train --resume moved': [`${TRAIN.replace('faces.csv', 'other.csv')} --out moved`],
  'experiment explain --models robust --out experiments': ['experiment explain --models narrow --out experiments'],
};

it.each(REMEDIES)('$provoke: $advice', async ({ provoke, env, advice, then, thenEnv }) => {
  if (provoke.includes('moved')) copyFileSync(path.join(cwd, 'faces.csv'), path.join(cwd, 'other.csv'));
  for (const line of BEFORE[provoke] ?? []) expect(await shell(line)).toMatchObject({ status: 0 });
  if (provoke.includes('moved')) rmSync(path.join(cwd, 'other.csv'));
  const told = await shell(provoke, env);
  expect(told.stderr).toContain(advice);
  expect(told.status).toBeGreaterThan(0);
  const helped = await shell(then, { ...env, ...thenEnv });
  expect(helped.status, helped.stderr).toBe(0);
});

/** Words by which a message advises. */
const ADVICE =
  /\b(?:with|by|in): |\b(?:use|choose|install|reinstall|name (?:one|a)|give (?:one|them)|leave out|say where|go on with|keep fer|build it|take|pick|goes with|needs --|was kept)\b|asarUnpack/;

/** String literals of lib/ that reach a user as an error or a remark, and advise. */
function advising(): string[] {
  const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) => {
    const source = ts.createSourceFile(name, readFileSync(path.join('lib', name), 'utf8'), ts.ScriptTarget.Latest, true);
    const found: string[] = [];
    const isMessage = (node: ts.Node | undefined): boolean =>
      node !== undefined &&
      ((ts.isNewExpression(node) && node.expression.getText().endsWith('Error')) ||
        (ts.isCallExpression(node) && /^(note|warnOnce|fail|invalidArgument|usageError)$/.test(node.expression.getText())) ||
        isMessage(node.parent));
    const visit = (node: ts.Node): void => {
      const literal = ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node);
      if (literal && (isMessage(node) || name === 'addon-file.ts') && ADVICE.test(node.getText())) found.push(node.getText());
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

it('lists every message that advises', () => {
  const listed = [...REMEDIES.map(({ advice }) => advice), ...Object.keys(ELSEWHERE)];
  /** The advice as it stands in the source: what the row says up to the first value that is put in. */
  const inSource = (literal: string): boolean =>
    listed.some(
      (advice) =>
        literal.includes(advice) ||
        advice.split(/(?=--|[A-Z]\w+ with)/).some((piece) => piece.length > 9 && literal.includes(piece.trim())),
    );
  expect(advising().filter((literal) => !inSource(literal))).toEqual([]);
  const native = readdirSync('native', { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(cc|cu|h)$/.test(name) && !/^(test|glibc)/.test(name),
  );
  const advises = native.flatMap((name) => readFileSync(path.join('native', name), 'utf8').match(NATIVE_ADVICE) ?? []);
  expect(advises.filter((literal) => !Object.keys(NATIVE).some((advice) => literal.includes(advice)))).toEqual([]);
  for (const [advice, test] of Object.entries({ ...ELSEWHERE, ...NATIVE })) {
    const [file, title] = test.split(': ');
    expect(readFileSync(file, 'utf8'), advice).toContain(title);
  }
  const rows = [...REMEDIES.map(({ advice }) => [advice, 'test/package/remedies.test.ts']), ...Object.entries({ ...ELSEWHERE, ...NATIVE })];
  console.log(`${rows.length} remedies:\n${rows.map(([advice, test]) => `  ${advice}  (${test})`).join('\n')}`);
});
