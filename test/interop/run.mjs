#!/usr/bin/env node
// What leaves the package is looked at by the programs it is meant for, from PyPI, in an environment that this makes itself:
//   npm run interop                                  every check
//   npm run interop -- onnx --data fer2013.csv.gz    one of them; with FER2013 also the predictions on its PrivateTest split
//   npm run interop -- --save                        keeps the figures in bench/results/interop/, where docs/interop.md has them from
// Needs: npm run build, python3 with venv, a package index for pip. Not a part of npm test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../../scripts/flags.mjs';
import { CHECKS } from './checks.mjs';
import { npmWith, pythonWith } from './programs.mjs';

const { values, positionals } = readFlags({
  allowPositionals: true,
  options: { data: { type: 'string' }, save: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  console.error(`expected ${Object.keys(CHECKS).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}

const npmVersions = (packages = []) =>
  Object.fromEntries(packages.map((each) => [each.slice(0, each.lastIndexOf('@')), each.slice(each.lastIndexOf('@') + 1)]));

const results = fileURLToPath(new URL('../../bench/results/interop', import.meta.url));
let failed = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(CHECKS)) {
  const { about, requirements, packages, load } = CHECKS[name];
  console.log(`== ${name}: ${about}`);
  const folder = mkdtempSync(path.join(tmpdir(), `fer-interop-${name}-`));
  try {
    const { versions, python } = pythonWith(name, requirements);
    const { check } = await load();
    const result = await check({
      folder,
      python,
      npm: packages && npmWith(name, packages),
      data: values.data && path.resolve(values.data),
    });
    for (const line of result.lines) console.log(line);
    const wrong = result.wrong ?? [];
    failed += wrong.length;
    for (const line of wrong) console.error(`WRONG: ${line}`);
    if (values.save && wrong.length === 0) {
      mkdirSync(results, { recursive: true });
      const { lines: _lines, wrong: _wrong, ...figures } = result;
      writeFileSync(
        path.join(results, `${name}.json`),
        `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), versions: { ...versions, ...npmVersions(packages) }, ...figures }, null, 2)}\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exitCode = failed > 0 ? 1 : 0;
