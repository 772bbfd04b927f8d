#!/usr/bin/env node
// Reads every binary in prebuilds/ with binutils and holds it to what a stranger's system has: platform, libraries, newest glibc symbol,
// exports, no symbol table. Prints the table of docs/binaries.md; `--write` puts it there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import prettier from 'prettier';
import { OLDEST_GLIBC, PLUGIN, prebuilt, TARGETS } from './targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const MACHINES = { x64: 'X86-64', arm64: 'AArch64' };
const EXPORTS = { addon: ['napi_register_module_v1', 'node_api_module_get_api_version_v1'], plugin: ['fer_cuda_plugin'] };
// The C library's own parts. Before glibc 2.34 these were files of their own.
const LIBRARIES = {
  glibc: /^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|librt\.so\.1|ld-linux-(x86-64\.so\.2|aarch64\.so\.1))$/,
  musl: /^libc\.so$/,
};

const read = (option, file) => execFileSync('readelf', ['--wide', option, path.join(root, file)], { encoding: 'utf8' });
const newest = (versions) => versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);

/** What is wrong with a binary, and the newest glibc version that it asks for. */
function look(file, arch, libc, exported) {
  const wrong = [];
  if (!read('--file-header', file).includes(MACHINES[arch])) wrong.push(`is not for ${arch}`);
  const needed = [...read('--dynamic', file).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  for (const name of needed) if (!LIBRARIES[libc].test(name)) wrong.push(`needs ${name}`);
  const floor = newest([...read('--version-info', file).matchAll(/GLIBC_(\d+\.\d+)/g)].map(([, version]) => version));
  if (floor && newest([floor, OLDEST_GLIBC]) !== OLDEST_GLIBC)
    wrong.push(`asks for glibc ${floor}, and ${OLDEST_GLIBC} is the newest allowed`);
  const symbols = [...read('--dyn-syms', file).matchAll(/(?:FUNC|OBJECT) +GLOBAL +DEFAULT +\d+ (\w+)/g)].map(([, name]) => name);
  for (const name of symbols) if (!exported.includes(name)) wrong.push(`exports ${name}`);
  if (!symbols.includes(exported[0])) wrong.push(`does not export ${exported[0]}`);
  if (/\.symtab/.test(read('--section-headers', file))) wrong.push('is not stripped');
  return { wrong, floor };
}

const binaries = [
  ...Object.entries(TARGETS).map(([name, target]) => ({ file: prebuilt(name), name, ...target, exported: EXPORTS.addon })),
  {
    file: PLUGIN,
    name: 'linux-x64-glibc',
    compiler: 'GCC, nvcc 12',
    ran: 'on the host only: no GPU was at hand',
    tests: '',
    exported: EXPORTS.plugin,
  },
];
const rows = [];
let faults = 0;
for (const { file, name, compiler, ran, tests, exported } of binaries) {
  if (!existsSync(path.join(root, file))) {
    console.log(`absent  ${file}`);
    continue;
  }
  const [, arch, libc] = name.split('-');
  const { wrong, floor } = look(file, arch, libc, exported);
  faults += wrong.length;
  const size = `${(statSync(path.join(root, file)).size / 1e6).toFixed(1)} MB`;
  console.log(`${wrong.length ? 'FAILED ' : 'ok     '} ${file}  ${size}  ${floor ? `glibc ${floor}` : 'no glibc'}  ${wrong.join(', ')}`);
  rows.push([`\`${file.slice('prebuilds/'.length)}\``, size, compiler, floor ? `glibc ${floor}` : 'musl 1.2', ran, tests]);
}
if (process.argv.includes('--write')) {
  const page = path.join(root, 'docs', 'binaries.md');
  const head = ['binary', 'size', 'compiler', 'needs', 'run', 'native tests'];
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const text = readFileSync(page, 'utf8').replace(
    /(<!-- binaries -->)[^]*?(<!-- end of binaries -->)/,
    (_, start, end) => `${start}\n\n${table}\n\n${end}`,
  );
  writeFileSync(page, await prettier.format(text, { ...(await prettier.resolveConfig(page)), parser: 'markdown' }));
}
process.exit(faults ? 1 : 0);
