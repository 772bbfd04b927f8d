// The command line as a test runs it: dist/, in a folder.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function ferIn(folder: string, args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.resolve('dist/cli/main.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
