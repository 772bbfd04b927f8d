// compute-sanitizer's memcheck, racecheck and initcheck over the operation tests, where the tool is on the PATH; else this part is
// skipped, which is not passed, and is tried again at the next call.
import { spawnSync } from 'node:child_process';
import { testBinary, testEnvironment } from './parity.mjs';

const TOOLS = ['memcheck', 'racecheck', 'initcheck'];

export function sanitizer({ root, device, deadline }, before) {
  if (device === 'cpu') return { complete: false, skipped: 'a rehearsal on the CPU has no kernels to check' };
  const found = spawnSync('compute-sanitizer', ['--version'], { encoding: 'utf8' });
  if (found.error) return { complete: false, skipped: 'compute-sanitizer is not on the PATH' };
  const results = { ...before?.results };
  for (const tool of TOOLS) {
    if (results[tool]?.clean || Date.now() > deadline) continue;
    const run = spawnSync('compute-sanitizer', ['--tool', tool, '--error-exitcode', '9', testBinary(root), '--gtest_filter=*OpTest*'], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: Math.min(400_000, deadline - Date.now()),
      env: testEnvironment(root, device),
    });
    results[tool] = {
      clean: run.status === 0,
      status: run.status ?? run.signal,
      output: `${run.stdout}${run.stderr}`
        .split('\n')
        .filter((line) => line.startsWith('========='))
        .slice(-40),
    };
    console.log(`${tool}: ${results[tool].clean ? 'clean' : `not clean (${results[tool].status})`}`);
  }
  const complete = TOOLS.every((tool) => results[tool]);
  return {
    complete,
    passed: complete && TOOLS.every((tool) => results[tool].clean),
    version: found.stdout.trim().split('\n').at(-1),
    results,
  };
}
