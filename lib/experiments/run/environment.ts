/** The machine and the software behind a result, without anything that names the machine or its user. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Environment } from '../../report/result.js';

const packageRoot = (): string => fileURLToPath(new URL('../../..', import.meta.url));

/** `device`: the model's own description of where it computes. */
export async function environment(device: string): Promise<Environment> {
  const { version } = JSON.parse(await readFile(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return {
    device,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0]}`,
    node: process.versions.node,
    version,
    commit: await commit(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Of the package's own clone; a project that merely has the package installed has a commit of its own. */
async function commit(): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', packageRoot(), ...args])).stdout.trim();
  try {
    if (path.relative(await git('rev-parse', '--show-toplevel'), packageRoot()) !== '') return undefined;
    const changed = (await git('status', '--porcelain', '--untracked-files=no')) !== '';
    return `${await git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return undefined;
  }
}
