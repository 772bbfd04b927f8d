/** `fer-cudnn doctor`: does everything the package needs work on this machine? Each check really does the thing. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { native } from '../native.js';
import { PACKAGE_MODEL } from '../package-model.js';
import { print } from './output.js';

const EXAMPLES = `
Example:
  $ fer-cudnn doctor

Every line is a thing that was tried just now. The exit status is 1 if one failed.`;

const CHECKS: readonly { name: string; check: () => Promise<string> | string }[] = [
  { name: 'Node', check: () => process.versions.node },
  {
    name: 'native core',
    check: () => {
      const { isa, cores, compiler } = native().systemInfo();
      return `${isa}, ${cores} cores, ${compiler}`;
    },
  },
  { name: 'training', check: trainOneStep },
  { name: 'pictures', check: decodePicture },
  { name: 'charts', check: drawChart },
  { name: 'default model', check: askDefaultModel },
];

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('check this installation')
    .description('Checks that everything the package needs works on this machine.')
    .addHelpText('after', EXAMPLES)
    .action(doctor);
}

async function doctor(): Promise<void> {
  for (const { name, check } of CHECKS) {
    let line: string;
    try {
      line = `ok      ${name.padEnd(14)} ${await check()}`;
    } catch (error) {
      line = `FAILED  ${name.padEnd(14)} ${(error as Error).message.replace(/\s*\n\s*/g, ' ')}`;
      process.exitCode = 1;
    }
    print(line);
  }
}

async function trainOneStep(): Promise<string> {
  const [{ MiniXception }, { FER_CLASSES }] = await Promise.all([import('../model.js'), import('../data/data-set.js')]);
  const [size, count] = [48, 20];
  const rows = Uint32Array.from({ length: count }, (_, i) => i);
  const data = {
    name: 'ramps',
    source: 'doctor',
    synthetic: true,
    classes: FER_CLASSES,
    size,
    images: Uint8Array.from({ length: count * size * size }, (_, i) => (i * 31) % 251),
    labels: Uint8Array.from({ length: count }, (_, i) => i % FER_CLASSES.length),
    splits: new Map([['Training', rows]]),
    notes: [],
    badRows: [],
  };
  using model = MiniXception.create();
  const { rows: epochs } = await model.fit(data, { preset: 'quick', epochs: 1, batchSize: count });
  return `one step on ${model.deviceDescription}, loss ${epochs[0].trainLoss.toFixed(3)}`;
}

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
  using model = await MiniXception.load(PACKAGE_MODEL);
  const size = model.inputSize;
  const { label } = await model.predict({ pixels: new Uint8Array(size * size).fill(128), width: size, height: size });
  return `${path.basename(PACKAGE_MODEL)} loaded and answers (${label} for a grey square)`;
}
