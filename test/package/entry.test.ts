/** The installed package from ES modules and CommonJS, in every Node version that package.json names, and what an import loads. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { install, run } from './installed.js';

const place = { cwd: inject('project'), bin: inject('bin') };

const BODY = `
(async () => {
  const data = syntheticFaces();
  for (const [split, rows] of data.splits) data.splits.set(split, rows.subarray(0, 128));
  const model = MiniXception.create({ seed: 1 });
  const { rows } = await model.fit(data, { preset: 'quick', epochs: 3, batchSize: 16, schedule: 'constant', learningRate: 0.003 });
  const [size, row] = [data.size, data.splits.get('PrivateTest')[0]];
  const pixels = data.images.subarray(row * size * size, (row + 1) * size * size);
  const trained = await model.predict({ pixels, width: size, height: size });
  const packaged = await (await MiniXception.pretrained('robust')).predict({ pixels, width: size, height: size });
  console.log(JSON.stringify({ losses: rows.map((row) => row.trainLoss), trained: trained.probability, packaged: packaged.probability }));
})();`;
const PROGRAMS = {
  'user.mjs': `import { MiniXception, syntheticFaces } from 'fer-cudnn';${BODY}`,
  'user.cjs': `const { MiniXception, syntheticFaces } = require('fer-cudnn');${BODY}`,
};

async function runsIn(node: string, program: keyof typeof PROGRAMS): Promise<void> {
  writeFileSync(path.join(place.cwd, program), PROGRAMS[program]);
  const { status, stdout, stderr } = await run(node, [program], place);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const { losses, trained, packaged } = JSON.parse(stdout);
  expect(losses[2]).toBeLessThan(losses[0]);
  expect(trained).toBeGreaterThan(1 / 7);
  expect(packaged).toBeGreaterThan(1 / 7);
}

it.each(Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[])('this Node runs %s', (program) => runsIn('node', program));

it.each(['20.19.0', '22', '24', '26'])('Node %s runs both', async (version) => {
  const folder = path.join(place.cwd, '..', `node-${version}`);
  install(folder, [`node-linux-${process.arch}@${version}`]);
  const node = path.join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  for (const program of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) await runsIn(node, program);
});

it('no binary, of this package or another, is loaded by an import', async () => {
  writeFileSync(
    path.join(place.cwd, 'binaries.mjs'),
    `const binaries = () => process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node'));
     const { MiniXception } = await import('fer-cudnn');
     const imported = binaries();
     MiniXception.create().dispose();
     console.log(JSON.stringify({ imported, created: binaries() }));`,
  );
  const { stdout, stderr } = await run('node', ['binaries.mjs'], place);
  expect(stderr).toBe('');
  const { imported, created } = JSON.parse(stdout);
  expect(imported).toEqual([]);
  expect(created).toHaveLength(1);
});

it.skipIf(existsSync('/proc/driver/nvidia'))('without a driver, the CUDA plug-in of the package says what is missing', async () => {
  const { status, stderr } = await run('fer-cudnn', ['bench', '--seconds', '1', '--device', 'cuda'], place);
  expect(status).toBe(1);
  const hasPlugin = existsSync(path.join(place.cwd, `node_modules/fer-cudnn/prebuilds/linux-${process.arch}/fer-cudnn-cuda.so`));
  const missing = hasPlugin ? 'no NVIDIA driver is installed: libcuda.so.1 was not found' : 'this build of fer-cudnn has no CUDA part';
  expect(stderr).toContain(missing);
  expect(stderr).toContain('ERR_FER_DEVICE_UNAVAILABLE');
});

it('the command answers', async () => {
  const { status, stdout } = await run('npx', ['--no-install', 'fer-cudnn', '--version'], place);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
});
