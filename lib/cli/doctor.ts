/** `fer-cudnn doctor`: does everything the package needs work on this machine? Each check really does the thing. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { anyOfKind, CPU, GPU_NAMES, type Device } from '../device.js';
import { native, type DeviceProbe } from '../native.js';
import { PRETRAINED_NAMES } from '../pretrained.js';
import { deviceOf } from './options.js';
import { oneLine, print } from './output.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn doctor
  $ fer-cudnn doctor --device cuda        a GPU must work too

Every line is a thing that was tried just now, those of the GPU in a process of their own. The exit status is 1 if one
failed. A missing GPU is "absent", and a failure only where --device asks for it.`;

interface DoctorFlags {
  device?: Device;
}

const CHECKS: readonly { name: string; check: () => Promise<string> | string }[] = [
  { name: 'Node', check: () => process.versions.node },
  {
    name: 'native core',
    check: () => {
      const { isa, cores, compiler } = native().systemInfo();
      return `${isa}, ${cores} cores, ${compiler}`;
    },
  },
  { name: 'training', check: async () => (await import('./training-check.js')).trainThreeSteps(CPU) },
  { name: 'pictures', check: decodePicture },
  { name: 'charts', check: drawChart },
  { name: 'default model', check: askDefaultModel },
];

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Checks that everything the package needs works on this machine.')
    .option('--device <name>', `${GPU_NAMES}: this GPU must work`, deviceOf)
    .addHelpText('after', EXAMPLES)
    .action(doctor);
}

type Verdict = 'ok' | 'absent' | 'FAILED';

function report(verdict: Verdict, name: string, text: string): void {
  print(`${verdict.padEnd(7)} ${name.padEnd(14)} ${oneLine(text)}`);
  if (verdict === 'FAILED') process.exitCode = 1;
}

/** `without`: what is done where it fails, a sentence; default nothing, and then it is a failure. */
async function attempt(name: string, check: () => Promise<string> | string, without = ''): Promise<void> {
  let result: [Verdict, string];
  try {
    result = ['ok', await check()];
  } catch (error) {
    const { message } = error as Error;
    result = without === '' ? ['FAILED', message] : ['absent', `${message}. ${without}`];
  }
  report(result[0], name, result[1]);
}

async function doctor({ device }: DoctorFlags): Promise<void> {
  for (const { name, check } of CHECKS) await attempt(name, check);
  const { probeDevices } = await import('./device-check.js');
  let probes: DeviceProbe[];
  try {
    probes = await probeDevices();
  } catch (error) {
    return report('FAILED', 'GPU', (error as Error).message);
  }
  for (const probe of probes.filter(({ gpu }) => gpu)) await reportGpu(probe, device);
}

/** The lines on what a kind of GPU needs, on each of its GPUs, and on a training there. */
async function reportGpu({ name, parts, units }: DeviceProbe, device: Device | undefined): Promise<void> {
  const asked = device !== undefined && anyOfKind(device) === name;
  const lacking: Verdict = asked ? 'FAILED' : 'absent';
  for (const part of parts) {
    if (part.problem === '') report('ok', part.name, part.found);
    else if (part.without === '') report(lacking, part.name, part.problem);
    else report('absent', part.name, [`${part.problem}. ${part.without}`, ...searchedIn(part.searched)].join('. '));
  }
  units.forEach((unit, i) =>
    report('ok', `${name}:${i}`, `${unit.name}, compute capability ${unit.capability}, ${(unit.memoryBytes / 2 ** 30).toFixed(1)} GiB`),
  );
  if (!parts.every(({ problem, without }) => problem === '' || without !== '')) return;
  const { trainOn } = await import('./device-check.js');
  const target = asked ? device : (name as Device);
  await attempt('GPU training', () => trainOn(target));
  for (const library of parts.filter(({ problem, without }) => problem === '' && without !== ''))
    await attempt(`by ${library.name}`, () => trainOn(target, library.name.toLowerCase()), library.without);
}

const searchedIn = (places: readonly string[]): string[] => (places.length > 0 ? [`Searched: ${places.join(', ')}`] : []);

async function decodePicture(): Promise<string> {
  const { decodeImage } = await import('../data/image.js');
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#808080"/></svg>';
  const pixels = await decodeImage(Buffer.from(svg), { size: 48 });
  if (pixels.some((value) => Math.abs(value - 128) > 1)) throw new Error(`a grey square was decoded to ${pixels[0]} instead of 128`);
  return 'a picture was decoded and resized';
}

async function drawChart(): Promise<string> {
  const [{ classDistributionChart }, { writeChart }] = await Promise.all([import('../charts/charts.js'), import('../charts/write.js')]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fer-cudnn-doctor-'));
  try {
    const files = await writeChart(classDistributionChart(new Map([['Training', { happy: 3, sad: 2 }]])), path.join(folder, 'chart'));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return `SVG and PNG were drawn, ${sizes.join(' and ')} bytes`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function askDefaultModel(): Promise<string> {
  const { MiniXception } = await import('../model.js');
  using model = await MiniXception.pretrained(PRETRAINED_NAMES[0]);
  const size = model.inputSize;
  const { label } = await model.predict({ pixels: new Uint8Array(size * size).fill(128), width: size, height: size });
  return `${PRETRAINED_NAMES[0]} loaded and answers (${label} for a grey square)`;
}
