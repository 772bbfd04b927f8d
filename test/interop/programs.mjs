// Programs to ask, in build/interop/<name>: a Python with packages from PyPI, and a folder with packages from npm; made where they are not
// there or their list has changed.
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

const placeOf = (name) => fileURLToPath(new URL(`../../build/interop/${name}`, import.meta.url));

/** Makes what a list of packages asks for, once. */
function once(folder, packages, make) {
  const wanted = packages.join('\n');
  const list = path.join(folder, 'requirements.txt');
  if (existsSync(list) && readFileSync(list, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  make();
  writeFileSync(list, wanted);
}

/** `python(file, ...args)` runs a program and gives what it prints as JSON; `start` is the folder of its programs, for servers. */
export function pythonWith(name, requirements) {
  const folder = placeOf(name);
  once(folder, requirements, () => {
    run('python3', ['-m', 'venv', folder]);
    run(path.join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...requirements]);
  });
  const bin = path.join(folder, 'bin');
  const versions = Object.fromEntries(requirements.map((each) => each.split('==')));
  const python = (file, ...args) => JSON.parse(run(path.join(bin, 'python'), [fileURLToPath(file), ...args]));
  return { versions, python: Object.assign(python, { bin }) };
}

/** A folder with packages from npm, none of whose scripts ran. */
export function npmWith(name, packages) {
  const folder = path.join(placeOf(name), 'npm');
  once(folder, packages, () => {
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...packages], { cwd: folder });
  });
  return folder;
}
