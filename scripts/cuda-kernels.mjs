#!/usr/bin/env node
// What ptxas made of the CUDA kernels, and limits that keep known slow places from coming back:
//   node scripts/cuda-kernels.mjs                       holds the built plug-in to the limits
//   node scripts/cuda-kernels.mjs --json FILE           writes every kernel's figures, too
//   node scripts/cuda-kernels.mjs --plugin OTHER.so     of another build
// Figures, for an RTX 3070 (sm_86) and an H100 (sm_90): registers, stack, shared memory, blocks a multiprocessor, instructions, those of the
// longest innermost loop, integer divisions within loops (a GPU has none: each is a dozen instructions around a reciprocal) and
// instructions of double precision (at one 32nd or 64th of single's speed on most GPUs).
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = readFlags({
  options: { json: { type: 'string' }, plugin: { type: 'string', default: path.join(root, 'build/Release/fer-cudnn-cuda.so') } },
});
const toolkit = execFileSync('bash', [path.join(root, 'scripts/cuda-toolkit.sh')], { encoding: 'utf8' }).split('\n')[0];
const tool = (name) => path.join(toolkit, 'bin', name);

const THREADS = 256;
/** Of a multiprocessor. */
const ARCHITECTURES = {
  sm_86: { registers: 65_536, threads: 1_536, sharedBytes: 102_400 },
  sm_90: { registers: 65_536, threads: 2_048, sharedBytes: 233_472 },
};
const RESERVED_SHARED = 1_024; // of each block, by the system
const WARP_REGISTERS = 256; // what registers of a warp are given out in

/** Where one block a multiprocessor is enough: the large tiles that keep more registers than two blocks would have. */
const ALONE = /^(product<128, 128|outer_product<128, 128|tensor_outer_product<\w+, 128, 128)/;
/** Bytes of stack: a local array of the augmentation's; and what two large tiles of bf16 spill outside their loops. */
const STACK = [
  [/^gather/, 32],
  [/^tensor_product<\w+, 128, 128/, 32],
];
/** Double-precision instructions outside loops: the sum over an epoch's steps; the cosine of large angles. */
const DOUBLES = [
  [/^cross_entropy/, 2],
  [/^gather/, 8],
];
const limit = (of, name) => of.find(([pattern]) => pattern.test(name))?.[1] ?? 0;

/** name: mangled. */
function resources(architecture) {
  const found = new Map();
  const text = execFileSync(tool('cuobjdump'), ['-res-usage', '-arch', architecture, values.plugin], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  for (const [, name, registers, stack, shared] of text.matchAll(/Function (\S+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+)/g))
    found.set(name, { registers: +registers, stackBytes: +stack, sharedBytes: +shared });
  return found;
}

function blocksAMultiprocessor({ registers, sharedBytes }, machine) {
  const aWarp = Math.ceil((registers * 32) / WARP_REGISTERS) * WARP_REGISTERS;
  return Math.min(
    Math.floor(machine.registers / aWarp / (THREADS / 32)),
    Math.floor(machine.threads / THREADS),
    Math.floor(machine.sharedBytes / (sharedBytes + RESERVED_SHARED)),
  );
}

/** Of one kernel's instructions [{ at, op, target }]. A loop is what lies between a jump backwards and where it jumps to. */
function counts(instructions) {
  const loops = instructions.filter(({ at, target }) => target !== undefined && target < at).map(({ at, target }) => [target, at]);
  const within = ([begin, end]) => instructions.filter(({ at }) => at >= begin && at <= end);
  const innermost = loops.filter(([begin, end]) => !loops.some(([b, e]) => b >= begin && e <= end && (b !== begin || e !== end)));
  const inLoops = instructions.filter(({ at }) => loops.some(([begin, end]) => at >= begin && at <= end));
  return {
    instructions: instructions.length,
    longestLoop: Math.max(0, ...innermost.map((loop) => within(loop).length)),
    divisionsInLoops: inLoops.filter(({ op }) => /^I2F\.\S*RP/.test(op)).length,
    doubles: instructions.filter(({ op }) => /^(D(ADD|MUL|FMA|SETP|MNMX)|MUFU\.\w+64|[FI]2F\S*\.F64|F2[FI]\S*F64)/.test(op)).length,
  };
}

/** Calls visit(name, instructions) for every kernel. */
async function kernels(architecture, visit) {
  const dump = spawn(tool('cuobjdump'), ['-sass', '-arch', architecture, values.plugin], { stdio: ['ignore', 'pipe', 'inherit'] });
  let name, instructions;
  for await (const line of createInterface({ input: dump.stdout })) {
    const begins = /^\s+Function : (\S+)/.exec(line);
    if (begins) {
      if (name) visit(name, instructions);
      [name, instructions] = [begins[1], []];
      continue;
    }
    const [, at, op, rest] = /^\s+\/\*([0-9a-f]{4,})\*\/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)([^;]*);/.exec(line) ?? [];
    if (!at || op === 'NOP') continue;
    const target = op.startsWith('BRA') ? /(0x[0-9a-f]+)\s*$/.exec(rest.trim())?.[1] : undefined;
    // A kernel ends with a jump to itself that nothing reaches.
    const to = target === undefined ? undefined : Number(target);
    if (to !== parseInt(at, 16)) instructions.push({ at: parseInt(at, 16), op, target: to });
  }
  if (name) visit(name, instructions);
}

function readable(names) {
  const plain = execFileSync(tool('cu++filt'), ['-p'], { input: names.join('\n'), encoding: 'utf8' })
    .trim()
    .split('\n');
  return plain.map((name) => name.replace(/fer::cuda::|<unnamed>::|\(int\)/g, '').replace(/^void /, ''));
}

const rows = [];
for (const [architecture, machine] of Object.entries(ARCHITECTURES)) {
  const used = resources(architecture);
  const found = [];
  await kernels(architecture, (name, instructions) => found.push([name, counts(instructions)]));
  const names = readable(found.map(([name]) => name));
  found.forEach(([mangled, counted], i) => {
    const of = used.get(mangled);
    rows.push({ kernel: names[i], architecture, ...of, blocks: blocksAMultiprocessor(of, machine), ...counted });
  });
}
if (rows.length === 0) throw new Error(`no kernels found in ${values.plugin}`);

let failed = 0;
for (const row of rows) {
  const most = (what, got, allowed) => {
    if (got <= allowed) return;
    failed += 1;
    console.error(`FAILED  ${row.architecture} ${row.kernel}: ${what} ${got}, at most ${allowed}`);
  };
  most('integer divisions within loops', row.divisionsInLoops, 0);
  most('double-precision instructions', row.doubles, limit(DOUBLES, row.kernel));
  most('bytes of stack', row.stackBytes, limit(STACK, row.kernel));
  most('blocks a multiprocessor lacking', (ALONE.test(row.kernel) ? 1 : 2) - row.blocks, 0);
}
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(
  `cuda-kernels: ${rows.length} kernels (${Object.keys(ARCHITECTURES).join(', ')}); ${sum('divisionsInLoops')} integer divisions within loops, ` +
    `${sum('doubles')} double-precision instructions, ${rows.filter(({ blocks }) => blocks < 2).length} with one block a multiprocessor`,
);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ plugin: path.basename(values.plugin), kernels: rows }, null, 1)}\n`);
process.exitCode = failed > 0 ? 1 : 0;
