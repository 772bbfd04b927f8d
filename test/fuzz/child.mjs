/**
 * Runs cases of one target in a process of its own, which a case may end: child.mjs <target> <folder> [file of a case]. The parent
 * sends the seed of the first case and their number; before each the case lies in <folder>/case, so that it is there afterwards.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { TARGETS } from './targets/index.mjs';

const MOST_CPU_SECONDS = 5;
const MOST_BYTES = 400 << 20; // that one case may add to the most memory that the process ever had

/** Codes that say something of a file; what ends in another was not foreseen. */
const EXPECTED = /^ERR_FER_(ARGUMENT|CONFIG|DATA_FORMAT|DATA_NOT_FOUND|IMAGE_FORMAT|MODEL_FORMAT|CHECKPOINT|OUT_OF_MEMORY|DIVERGED)$/;

const [, , name, folder, file] = process.argv;
const target = TARGETS.find((each) => each.name === name);
if (!target) throw new Error(`no target is called ${name}; there are ${TARGETS.map((each) => each.name).join(', ')}`);

let left; // a rejection that nobody waited for
process.on('unhandledRejection', (reason) => (left = reason));
process.on('uncaughtException', (error) => (left = error));

const described = (error) => (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, 4000);

/** What is wrong with how a case ended, in words; undefined: nothing. */
async function fault(bytes) {
  const [cpu, peak] = [process.cpuUsage(), process.resourceUsage().maxRSS];
  let wrong;
  try {
    await target.run(bytes, folder);
  } catch (error) {
    if (error?.name !== 'FerError' || !EXPECTED.test(error.code) || !error.message) wrong = described(error);
  }
  // What was left behind is rejected in the turns that follow.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  if (left !== undefined) wrong ??= `not waited for: ${described(left)}`;
  left = undefined;
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  if (seconds > MOST_CPU_SECONDS) wrong ??= `it took ${seconds.toFixed(1)} s of CPU time`;
  const more = (process.resourceUsage().maxRSS - peak) * 1024;
  if (more > MOST_BYTES) wrong ??= `it took ${Math.round(more / 2 ** 20)} MiB of memory`;
  return wrong;
}

async function cases(arbitrary, { seed, count }) {
  for (let at = seed; at < seed + count; at++) {
    const [bytes] = fc.sample(arbitrary, { seed: at, numRuns: 1 });
    writeFileSync(path.join(folder, 'case'), bytes);
    process.send({ started: at });
    const wrong = await fault(bytes);
    process.send({ ended: at, wrong });
  }
  process.send({ done: true });
}

const arbitrary = await target.prepare(folder);
if (file) {
  const wrong = await fault(readFileSync(file));
  console.log(wrong ?? 'as it should be');
  process.exit(wrong ? 1 : 0);
}
process.on('message', (batch) => void cases(arbitrary, batch));
process.send({ ready: true });
