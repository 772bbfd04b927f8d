// Who is measured, ours and every mode of every peer, and how one of them is: in a process of its own, that may fail or be too slow.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const PRECISIONS = ['fp32', 'bf16'];

const ours = (work) =>
  PRECISIONS.map((precision) => ({ peer: 'ours', mode: '', precision, program: process.execPath, args: [here('ours.mjs'), work] }));

const TORCH_MODES = {
  eager: [],
  'channels last': ['--channels-last'],
  compile: ['--compile'],
  'compile, channels last': ['--compile', '--channels-last'],
};
const peer = (python, name, script, mode, precision, flags = []) => ({
  peer: name,
  mode,
  precision,
  program: python,
  args: [here(`peers/${script}`), ...flags],
});
const torch = (python, script) =>
  PRECISIONS.flatMap((precision) =>
    Object.entries(TORCH_MODES).map(([mode, flags]) => peer(python, 'PyTorch', script, mode, precision, flags)),
  );

/** All that do `work`, "training" or "prediction"; without `python` ours alone. */
export function contenders(work, python) {
  if (!python) return ours(work);
  if (work === 'training') return [...ours(work), ...torch(python, 'torch_train.py')];
  return [
    ...ours(work),
    ...torch(python, 'torch_infer.py'),
    peer(python, 'ONNX Runtime', 'onnx_infer.py', '', 'fp32'),
    ...PRECISIONS.map((precision) => peer(python, 'OpenVINO', 'openvino_infer.py', '', precision)),
  ];
}

export const nameOf = ({ peer, mode, precision }) => [peer, mode, precision].filter(Boolean).join(', ');

/** One process: gives its lines as they come; resolves to why it ended early, or to undefined. `limit`: seconds from line to line. */
function run({ peer, precision, program, args }, { width, batches, threads, seconds, limit }, onLine) {
  // Ours is asked for a precision as a user would ask; the peers' scripts have a flag.
  const asked = peer === 'ours' ? ['--precision', precision] : precision === 'bf16' ? ['--bf16'] : [];
  const options = ['--width', width, '--threads', String(threads), '--seconds', String(seconds), ...asked];
  // Compiled by the process itself, not by workers that would still be there while it is measured.
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), TORCHINDUCTOR_COMPILE_THREADS: '1' };
  return new Promise((resolve) => {
    const child = spawn(program, [...args, ...options, ...batches.map(String)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let late = false;
    const watchdog = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit * 1000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      watchdog.refresh();
      onLine(JSON.parse(line));
    });
    let complaint = '';
    child.stderr.on('data', (text) => (complaint = (complaint + text).slice(-4000)));
    child.on('error', (error) => {
      clearTimeout(watchdog);
      resolve(error.message);
    });
    child.on('close', (status, signal) => {
      clearTimeout(watchdog);
      if (late) resolve(`took longer than ${limit} s`);
      else if (signal) resolve(`died of ${signal}`);
      else resolve(status === 0 ? undefined : complaint.trim().split('\n').at(-1) || `exit status ${status}`);
    });
  });
}

/** What a contender makes of each batch size: its line, or { failed: why }. A failure takes none of the sizes after it along. */
export async function measure(contender, options) {
  const found = new Map();
  for (let left = options.batches; left.length > 0; left = left.filter((batch) => !found.has(batch))) {
    const failed = await run(contender, { ...options, batches: left }, (line) => found.set(line.batch, line));
    const next = left.find((batch) => !found.has(batch));
    if (next !== undefined) found.set(next, { failed: failed ?? 'gave no figure' });
  }
  return found;
}
