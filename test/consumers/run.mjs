#!/usr/bin/env node
// Installs the packed package as each consumer of consumers.mjs would, and runs it there.
//   node test/consumers/run.mjs [--quick] [--tarball <file>] [--keep] [name...]     --quick: only what takes seconds
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../../scripts/flags.mjs';
import { CONSUMERS } from './consumers.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values, positionals } = readFlags({
  options: { quick: { type: 'boolean' }, tarball: { type: 'string' }, keep: { type: 'boolean' } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !CONSUMERS[name]);
if (unknown) throw new Error(`expected ${Object.keys(CONSUMERS).join(', ')}, got ${unknown}`);
const chosen = Object.keys(CONSUMERS).filter((name) =>
  positionals.length ? positionals.includes(name) : !values.quick || CONSUMERS[name].quick,
);

const work = mkdtempSync(path.join(tmpdir(), 'fer-consumers-'));
const npm = (folder, ...args) =>
  execFileSync('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder, encoding: 'utf8' });

function packed() {
  npm(path.resolve(here, '../..'), 'pack', '--pack-destination', work);
  return path.join(
    work,
    readdirSync(work).find((name) => name.endsWith('.tgz')),
  );
}
const tarball = values.tarball ? path.resolve(values.tarball) : packed();

// Yarn and Bun do not read npm's configuration, which may name a mirror.
const registry = npm(work, 'config', 'get', 'registry').trim();
const environment = {
  ...process.env,
  YARN_NPM_REGISTRY_SERVER: registry,
  YARN_ENABLE_TELEMETRY: '0',
  YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  YARN_GLOBAL_FOLDER: path.join(work, 'yarn'),
  NPM_CONFIG_REGISTRY: registry,
  NEXT_TELEMETRY_DISABLED: '1',
  CI: 'true',
};

/** The line that the last command printed, or what went wrong. */
function use(name) {
  const { packages = {}, tools = {}, example, install, run, env = {} } = CONSUMERS[name];
  const folder = path.join(work, name);
  if (example) cpSync(path.resolve(here, '../../examples', example), folder, { recursive: true });
  cpSync(path.join(here, name), folder, { recursive: true });
  cpSync(path.join(here, 'program.mjs'), path.join(folder, 'program.mjs'));
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ name: 'consumer', private: true })}\n`);
  const list = (wanted) => Object.entries(wanted).map(([each, version]) => `${each}@${version}`);
  const bin = path.join(work, 'tools', name);
  if (Object.keys(tools).length) {
    mkdirSync(bin, { recursive: true });
    // Scripts run: Bun's puts its program in place.
    execFileSync('npm', ['install', '--prefix', bin, '--no-audit', '--no-fund', '--silent', ...list(tools)]);
  }
  const PATH = [path.join(folder, 'node_modules', '.bin'), path.join(bin, 'node_modules', '.bin'), process.env.PATH].join(':');
  const said = [];
  const shell = (command) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, ...env, PATH },
    });
    said.push(`$ ${command}\n${stdout}${stderr}`);
    return status === 0;
  };
  if (install) {
    if (!shell(install.replace('{tarball}', tarball))) return { said };
  } else npm(folder, 'install', tarball, ...list(packages));
  for (const command of run) if (!shell(command)) return { said };
  return { answer: /^answer: .*$/m.exec(said.at(-1))?.[0], said };
}

let expected;
let failed = 0;
for (const name of new Set(['npm-esm', ...chosen])) {
  const started = performance.now();
  const { answer, said } = use(name);
  expected ??= answer; // plain Node's
  const good = answer !== undefined && answer === expected;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${good ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${answer ?? ''} (${seconds} s)`);
  if (good) continue;
  ++failed;
  console.error(said.join('\n'));
}
if (values.keep) console.log(`kept in ${work}`);
else if (existsSync(work)) rmSync(work, { recursive: true, force: true });
console.log(`consumers: ${new Set(['npm-esm', ...chosen]).size - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
