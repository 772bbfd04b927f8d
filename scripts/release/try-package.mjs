#!/usr/bin/env node
// Tries a packed tarball on this machine and this Node, as a user has it: installed with --ignore-scripts into an empty project, it
// trains and predicts from an ES module and from CommonJS, on the prebuilt addon that belongs here. Nothing but Node and npm is
// used, so that it runs in any container.
//   try-package.mjs <tarball>
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HOST, prebuilt } from '../targets.mjs';

if (!process.argv[2]) throw new Error('expected a tarball, as npm pack writes it');
const tarball = path.resolve(process.argv[2]);
const glibc = process.report.getReport().header.glibcVersionRuntime;
if (!HOST) throw new Error(`there is no binary for ${process.platform}-${process.arch}`);
const addon = prebuilt(HOST);
const project = mkdtempSync(path.join(tmpdir(), 'fer-try-'));
process.on('exit', () => rmSync(project, { recursive: true, force: true }));

function stop(message) {
  console.error(`try-package: ${message}`);
  process.exit(1);
}

/** Runs a command in the project, and returns what it prints. */
function run(command, ...args) {
  const { status, stdout, error } = spawnSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) stop(`${[path.basename(command), ...args].join(' ')} failed: ${error?.message ?? `exit status ${status}`}`);
  return stdout;
}

const BODY = `
  const data = syntheticFaces();
  const model = MiniXception.create({ seed: 1 });
  const { evaluation } = await model.fit(data, { preset: 'quick', epochs: 3 });
  const [size, row] = [data.size, data.splits.get('PrivateTest')[0]];
  const pixels = data.images.subarray(row * size * size, (row + 1) * size * size);
  const { label, probability } = await model.predict({ pixels, width: size, height: size });
  model.dispose();
  if (!(evaluation.accuracy > 0.5)) throw new Error('accuracy ' + evaluation.accuracy);
  if (!(probability > 0)) throw new Error('no prediction');
  process.report.excludeNetwork = true;
  const loaded = process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node') && file.includes('fer-cudnn.'));
  if (loaded.length !== 1 || !loaded[0].endsWith(${JSON.stringify(addon)})) throw new Error('expected ${addon}, loaded ' + loaded);
  console.log(kind + ': accuracy ' + evaluation.accuracy.toFixed(3) + ', predicted ' + label);
`;
writeFileSync(path.join(project, 'package.json'), '{ "name": "user", "private": true }');
writeFileSync(
  path.join(project, 'user.mjs'),
  `import { MiniXception, syntheticFaces } from 'fer-cudnn';\nconst kind = 'ES module';${BODY}`,
);
writeFileSync(
  path.join(project, 'user.cjs'),
  `const { MiniXception, syntheticFaces } = require('fer-cudnn');\nconst kind = 'CommonJS';\n(async () => {${BODY}})();`,
);

console.log(`Node ${process.version} on ${[HOST, glibc].filter(Boolean).join(' ')}: ${path.basename(tarball)}`);
run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', tarball);
process.stdout.write(run(process.execPath, 'user.mjs'));
process.stdout.write(run(process.execPath, 'user.cjs'));
const cli = path.join(project, 'node_modules', '.bin', 'fer-cudnn');
console.log(`fer-cudnn --version: ${run(cli, '--version').trim()}`);

// Where the plug-in belongs and no driver is, it loads and says what is missing.
if (HOST === 'linux-x64-glibc') {
  const { status, stderr } = spawnSync(cli, ['bench', '--seconds', '1', '--device', 'cuda'], { cwd: project, encoding: 'utf8' });
  const missing = /no NVIDIA driver is installed.*ERR_FER_DEVICE_UNAVAILABLE/.test(stderr);
  if (status !== 0 && !missing) stop(`--device cuda said: ${stderr}`);
  console.log(status === 0 ? '--device cuda: measured' : stderr.trim());
}
console.log('the package works here');
