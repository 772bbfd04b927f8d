/**
 * The package as a user has it: packed, and installed with --ignore-scripts into an empty project. Vitest's global set-up makes one for
 * all tests of the folder; `FER_TARBALL` takes a tarball that was packed before. PATH there has Node's tools and no compiler.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: string;
    /** A project that has the package installed. */
    project: string;
    /** The only folder of PATH. */
    bin: string;
  }
}

const TOOLS = ['node', 'npm', 'npx', 'sh', 'bash', 'env', 'dirname', 'readlink', 'uname', 'sed'];

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

export interface Place {
  cwd: string;
  bin: string;
  env?: NodeJS.ProcessEnv;
}

/** Runs a command as a user of the project would; its shell is `sh`. */
export function run(command: string, args: readonly string[], { cwd, bin, env = {} }: Place): Promise<Outcome> {
  const { HOME, LANG, NODE_EXTRA_CA_CERTS, npm_config_registry } = process.env;
  const PATH = `${path.join(cwd, 'node_modules', '.bin')}:${bin}`;
  const options = { cwd, maxBuffer: 1 << 26, env: { PATH, HOME, LANG, NODE_EXTRA_CA_CERTS, npm_config_registry, ...env } };
  return new Promise((resolve, reject) =>
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
    }),
  );
}

export function install(folder: string, packages: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "user", "private": true }\n');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...packages], { cwd: folder });
}

export default function setUp({ provide }: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'fer-package-'));
  const root = path.resolve('.');
  let tarball = process.env.FER_TARBALL;
  if (!tarball) {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
    tarball = path.join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  }
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS) {
    const found = spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, path.join(bin, tool));
  }
  const project = path.join(folder, 'project');
  install(project, [tarball]);
  provide('tarball', tarball);
  provide('project', project);
  provide('bin', bin);
  return () => rmSync(folder, { recursive: true, force: true });
}
