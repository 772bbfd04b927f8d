// What this machine has, as `fer-cudnn doctor` sees it.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

export function doctor({ root, device }) {
  const run = spawnSync(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), 'doctor', '--device', device], { encoding: 'utf8' });
  const smi = spawnSync('nvidia-smi', ['--query-gpu=name,driver_version,memory.total,compute_cap', '--format=csv,noheader'], {
    encoding: 'utf8',
  });
  const lines = `${run.stdout}${run.stderr}`.trim().split('\n');
  console.log(lines.join('\n'));
  return { passed: run.status === 0, lines, nvidiaSmi: smi.status === 0 ? smi.stdout.trim() : undefined, node: process.versions.node };
}
