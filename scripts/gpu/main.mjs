// The parts of scripts/gpu-check in order: each writes <out>/<part>.json and is left out when that is there already, so that a
// call that was cut short goes on with what is missing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { doctor } from './doctor.mjs';
import { paper } from './paper.mjs';
import { parity } from './parity.mjs';
import { verdict, writeReport } from './report.mjs';
import { sanitizer } from './sanitizer.mjs';
import { speed } from './speed.mjs';
import { steps } from './steps.mjs';

const PARTS = { doctor, parity, steps, sanitizer, speed, paper };
const HELP = `usage: scripts/gpu-check [options]

Proves the CUDA backend right on a real GPU, measures it beside PyTorch, and repeats the paper's trainings.

  --parts a,b,…     which parts: ${Object.keys(PARTS).join(', ')} [all]
  --device NAME     cuda, cuda:1, …, or cpu for a rehearsal [cuda]
  --data FILE       FER2013 (.csv, .csv.gz, .fer) [data/fer2013.fer beside this script, else the synthetic faces]
  --out FOLDER      results [bench/results/<the GPU's name>]
  --python PATH     a Python with torch, for PyTorch's figures; none: left out, and said so [python3]
  --peer FILE       mini_xception_torch.py, the peer to time [peers/ beside this script]
  --minutes N       stop starting work after N minutes, saving trainings for the next call [no limit]
  --runs a,b,…      trainings of the part "paper" [all]
  --epochs N        at most so many epochs a training; the result says so [as the paper]
  --quick           fewer repetitions and batch sizes: a rehearsal, not a measurement
  --again           do parts anew whose results are there

Exit status: 0 when every part done has passed or was skipped, 1 otherwise, 2 for a wrong option. What is skipped, for want of a tool
or of PyTorch, is said to be skipped.`;

const root = fileURLToPath(new URL('../..', import.meta.url));

function options() {
  try {
    const { values } = parseArgs({
      options: {
        parts: { type: 'string', default: Object.keys(PARTS).join() },
        device: { type: 'string', default: 'cuda' },
        data: { type: 'string' },
        out: { type: 'string' },
        python: { type: 'string', default: 'python3' },
        peer: { type: 'string' },
        minutes: { type: 'string', default: 'Infinity' },
        runs: { type: 'string' },
        epochs: { type: 'string', default: 'Infinity' },
        quick: { type: 'boolean', default: false },
        again: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const names = values.parts.split(',');
    const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
    if (unknown !== undefined)
      throw new Error(`expected parts out of ${Object.keys(PARTS).join(', ')}, got ${JSON.stringify(unknown)}, for --parts`);
    for (const flag of ['minutes', 'epochs'])
      if (!(Number(values[flag]) > 0)) throw new Error(`expected a number above 0, got ${JSON.stringify(values[flag])}, for --${flag}`);
    return { ...values, names, minutes: Number(values.minutes), epochs: Number(values.epochs) };
  } catch (error) {
    console.error(`gpu-check: ${error.message}`);
    process.exit(2);
  }
}

const given = options();
if (given.help) {
  console.log(HELP);
  process.exit(0);
}

const { MiniXception } = await import('../../dist/index.js');
let deviceDescription;
try {
  const model = MiniXception.create({ device: given.device });
  deviceDescription = model.deviceDescription;
  model.dispose();
} catch (error) {
  console.error(`gpu-check: ${error.message} [${error.code}]`);
  process.exit(1);
}
const folderName = (given.device === 'cpu' ? 'rehearsal-cpu' : deviceDescription.split(', ')[1]).replace(/[^\w.-]+/g, '-');
const carried = path.join(root, 'data', 'fer2013.fer');
const context = {
  ...given,
  root,
  deviceDescription,
  out: given.out ?? path.join(root, 'bench', 'results', folderName),
  data: given.data ?? (existsSync(carried) ? carried : undefined),
  peer: given.peer ?? path.join(root, 'peers', 'mini_xception_torch.py'),
  deadline: Date.now() + given.minutes * 60_000,
};
mkdirSync(context.out, { recursive: true });
console.log(`${deviceDescription}; results in ${context.out}`);

for (const name of given.names) {
  const file = path.join(context.out, `${name}.json`);
  const before = existsSync(file) && !given.again ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  if (before?.complete) {
    console.log(`== ${name}: there already`);
    continue;
  }
  if (Date.now() > context.deadline) {
    console.log(`== ${name}: no time left; call again to go on`);
    continue;
  }
  console.log(`== ${name}`);
  const started = Date.now();
  let result;
  try {
    result = { complete: true, ...(await PARTS[name](context, before)) };
  } catch (error) {
    result = { complete: false, passed: false, failure: `${error.message}${error.code ? ` [${error.code}]` : ''}` };
    console.log(`FAILED ${result.failure}`);
  }
  const seconds = (Date.now() - started) / 1000 + (before?.seconds ?? 0);
  writeFileSync(
    file,
    `${JSON.stringify({ part: name, date: new Date().toISOString(), device: deviceDescription, rehearsal: given.device === 'cpu' || given.quick, seconds, ...result }, null, 2)}\n`,
  );
  console.log(`== ${name}: ${verdict(result)}, ${seconds.toFixed(0)} s`);
}
const passed = writeReport(context.out, Object.keys(PARTS));
process.exit(passed ? 0 : 1);
