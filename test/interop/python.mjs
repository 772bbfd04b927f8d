// A Python with packages from PyPI, in build/interop/<name>; made where it is not there or its list has changed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

function run(command, args, options = {}) {
  const { status, stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (error) throw new Error(`${command} could not start: ${error.message}`);
  if (status !== 0) throw new Error(`${[command, ...args.slice(0, 3)].join(' ')} ended with ${status}`);
  return stdout;
}

/** `python(file, ...args)` runs a program and gives what it prints as JSON; `start` is the folder of its programs, for servers. */
export function pythonWith(name, requirements) {
  const folder = fileURLToPath(new URL(`../../build/interop/${name}`, import.meta.url));
  const wanted = requirements.join('\n');
  const list = path.join(folder, 'requirements.txt');
  if (!existsSync(list) || readFileSync(list, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true });
    run('python3', ['-m', 'venv', folder]);
    run(path.join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...requirements]);
    writeFileSync(list, wanted);
  }
  const bin = path.join(folder, 'bin');
  const versions = Object.fromEntries(requirements.map((each) => each.split('==')));
  const python = (file, ...args) => JSON.parse(run(path.join(bin, 'python'), [fileURLToPath(file), ...args]));
  return { versions, python: Object.assign(python, { bin }) };
}
