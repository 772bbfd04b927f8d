/** The package's types: every module system and resolution, nothing installed beside TypeScript, no check left out. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { run } from './installed.js';

const place = { cwd: inject('project'), bin: inject('bin') };
const tool = (name: string): string => path.resolve('node_modules', '.bin', name);

const USES = `
const signal: AbortSignalLike | undefined = undefined;
export async function use(data: LabelledImages): Promise<Record<string, number>> {
  using model = await MiniXception.pretrained('narrow', { device: 'cpu', threads: 2 });
  const trained = MiniXception.create({ width: { stem: [4, 4], modules: [8] }, classes: ['a', 'b'], inputSize: 16 });
  const result: TrainingResult = await trained.fit(data, { preset: 'quick', epochs: 1, signal, onEpoch: (row) => row.epoch });
  const prediction: Prediction = await model.predict(new Uint8Array(4));
  const drawn: Uint8Array = await drawExplanation(await model.explain('face.jpg'), { side: 64 });
  const codes: FerErrorCode[] = [new FerError('ERR_FER_ARGUMENT', 'x').code];
  const files: string[] = Object.values(PRETRAINED).map(({ file }) => file);
  // @ts-expect-error: no such model
  void MiniXception.pretrained('broad');
  // @ts-expect-error: no such width
  MiniXception.create({ width: 3 });
  return { ...prediction.probabilities, epochs: result.rows.length, drawn: drawn.length, codes: codes.length, files: files.length };
}
type AbortSignalLike = NonNullable<FitOptions['signal']>;`;
const NAMES =
  'drawExplanation, FerError, MiniXception, PRETRAINED, type FerErrorCode, type FitOptions, type LabelledImages, type Prediction, type TrainingResult';
const USE = `import { ${NAMES} } from 'fer-cudnn';\n${USES}`;

// [module, moduleResolution, file]
const CONSUMERS = [
  ['node16', 'node16', 'use.mts'],
  ['node16', 'node16', 'use.cts'],
  ['nodenext', 'nodenext', 'use.mts'],
  ['nodenext', 'nodenext', 'use.cts'],
  ['esnext', 'bundler', 'use.ts'],
  ['preserve', 'bundler', 'use.cts'],
] as const;

/** What tsc says; empty where all is well. Without "dom" in lib and without @types/node, unless told otherwise. */
async function complaints(file: string, module: string, moduleResolution: string, lib = ['es2022']): Promise<string> {
  const folder = path.join(place.cwd, 'types');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, file), USE);
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', lib, types: [], skipLibCheck: false, module, moduleResolution };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  return (await run(tool('tsc'), ['--project', 'types'], place)).stdout;
}

it.each(CONSUMERS)('compile under module %s, resolution %s, %s', (module, resolution, file) =>
  expect(complaints(file, module, resolution)).resolves.toBe(''),
);

it('compile beside the DOM, whose AbortSignal fits', () =>
  expect(complaints('use.mts', 'nodenext', 'nodenext', ['es2022', 'dom'])).resolves.toBe(''));

it('need no other package and no types of Node', () => {
  const text = readFileSync(path.join(place.cwd, 'node_modules/fer-cudnn/dist/index.d.ts'), 'utf8');
  expect(text).not.toMatch(/^import /m);
  expect(text).not.toMatch(/\b(Buffer|NodeJS)\b/);
});

it.each([
  ['publint', ['run', inject('tarball'), '--strict']],
  ['attw', [inject('tarball'), '--no-color']],
])('%s finds nothing', (name, args) => {
  const { status, stdout, stderr } = spawnSync(tool(name), args, { encoding: 'utf8' });
  expect(stdout + stderr).not.toMatch(/warning|suggestion|💀|👺|🎭|❌|⚠️/i);
  expect(status).toBe(0);
});
