#!/usr/bin/env node
// What the package brings along when it is installed, and under which licence: refuses one that is not on the list below.
//   node scripts/licences.mjs                    checks, and prints how many of each
//   node scripts/licences.mjs --sbom <file>      writes the bill of materials (CycloneDX) beside
//   node scripts/licences.mjs --audit            asks the registry for known faults; where it does not answer, says so and goes on
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = readFlags({ options: { sbom: { type: 'string' }, audit: { type: 'boolean', default: false } } });

// Permissive, or used as a library that is loaded and can be replaced (libvips in @img/sharp-libvips-*, LGPL).
const ALLOWED = [
  ...['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'MPL-2.0', 'Python-2.0', 'Unlicense', 'BlueOak-1.0.0'],
  ...['LGPL-3.0-or-later', 'Apache-2.0 AND LGPL-3.0-or-later', 'Apache-2.0 AND LGPL-3.0-or-later AND MIT'],
];

// Read by us, where the lock file only points to a file.
const READ = {
  'dejavu-fonts-ttf': 'Bitstream Vera',
  h5wasm: 'NIST public domain, HDF5 BSD-3-Clause',
};

function npm(...args) {
  return spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
}

const { status, stdout, stderr } = npm('sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only');
if (status !== 0) {
  console.error(`licences: npm sbom failed; npm 10 or later is needed\n${stderr}`);
  process.exit(1);
}
if (values.sbom) writeFileSync(values.sbom, stdout);

// The bill has a licence where the lock file has one; the packages themselves say the others' at installation.
const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
const installed = Object.entries(packages).filter(([place, { dev }]) => place && !dev);
const counts = new Map();
const wrong = [];
for (const [place, entry] of installed) {
  const name = place.replace(/^.*node_modules\//, '');
  const license = READ[name] ?? entry.license;
  counts.set(license, (counts.get(license) ?? 0) + 1);
  if (!ALLOWED.includes(license) && !READ[name]) wrong.push(`${name}: ${license ?? 'no licence in the lock file'}`);
}
if (wrong.length) {
  console.error(`licences: not on the list of scripts/licences.mjs\n${wrong.join('\n')}`);
  process.exit(1);
}
const listed = [...counts].sort((a, b) => b[1] - a[1]).map(([licence, count]) => `${count} ${licence}`);
console.log(`licences: ${installed.length} packages: ${listed.join(', ')}`);

if (values.audit) {
  const audit = npm('audit', '--omit=dev', '--json');
  let report;
  try {
    report = JSON.parse(audit.stdout);
  } catch {
    report = undefined;
  }
  if (!report?.metadata) console.log('licences: the registry answered no question about known faults (npm audit); ask another one');
  else if (report.metadata.vulnerabilities.total > 0) {
    console.error(npm('audit', '--omit=dev').stdout);
    process.exit(1);
  } else console.log('licences: npm audit knows no fault in them');
}
