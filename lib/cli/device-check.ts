/**
 * What `doctor` asks of devices, in a process of its own: a driver that crashes costs a line of the report.
 *
 * `node device-check.js probe`, `train <device>` and `train-small <device>` (the child) print JSON; `ask` (the parent) runs them.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device } from '../device.js';
import { native, type DeviceProbe } from '../native.js';
import { trainThreeSteps } from './training-check.js';

const FILE = fileURLToPath(import.meta.url);
const TIMEOUT = 120_000;

export const probeDevices = (): Promise<DeviceProbe[]> => ask(['probe']);
/** `kernels`: as FER_CUDA_KERNELS has them; default as the environment says. */
export const trainOn = (device: Device, kernels?: string): Promise<string> =>
  kernels === undefined ? ask(['train', device]) : ask(['train-small', device], { FER_CUDA_KERNELS: kernels });

/** @throws {Error} saying how the process ended, where it gave no answer. */
async function ask<Answer>(question: string[], environment: NodeJS.ProcessEnv = {}): Promise<Answer> {
  const child = spawn(process.execPath, [FILE, ...question], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT,
    env: { ...process.env, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const end = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(signal ? `was ended by ${signal}` : `ended with status ${status}`));
  });
  const marked = stdout.lastIndexOf(ANSWER);
  if (marked < 0) throw new Error(`the process that tried it ${end}${stderr ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`);
  const { answer, problem } = JSON.parse(stdout.slice(marked + ANSWER.length)) as { answer: Answer; problem?: string };
  if (problem !== undefined) throw new Error(problem);
  return answer;
}

/** Comes before the JSON, after whatever drivers have printed. */
const ANSWER = '\nfer-cudnn answer: ';

async function child(question: string, device: string): Promise<void> {
  const reply = (value: object): boolean => process.stdout.write(ANSWER + JSON.stringify(value));
  try {
    reply({ answer: question === 'probe' ? native().probeDevices() : await trainThreeSteps(device as Device, question === 'train-small') });
  } catch (error) {
    reply({ problem: (error as Error).message });
  }
}

if (process.argv[1] === FILE) await child(process.argv[2], process.argv[3]);
