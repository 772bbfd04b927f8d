/** `fer-cudnn bench`: how fast this machine trains and predicts, on the synthetic faces. */
import { Command, Option } from 'commander';
import { rowsOf } from '../data/splits.js';
import { resolveWidth, widthName } from '../network/width.js';
import { addDeviceFlags, wholeNumberOf, type DeviceFlags } from './options.js';
import { note, noteDevice, print } from './output.js';
import { table, thousands } from '../plain-text.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn bench
  $ fer-cudnn bench --width wide --seconds 10 --json

Training is whole epochs as "train" runs them, without augmentation; prediction is the network alone, on grey images
in memory. Each figure is the median of repetitions that fill the given seconds, after one that is not counted.
Comparisons with PyTorch and ONNX Runtime are in the repository's bench/ folder.`;

interface BenchFlags extends DeviceFlags {
  width: string;
  batchSize: number;
  seconds: number;
  json?: boolean;
}

interface Figure {
  name: string;
  imagesPerSecond: number;
  millisecondsABatch: number;
  repetitions: number;
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description('Measures training and prediction speed on this machine.')
    .option('--width <width>', 'narrow, wide, or your own such as 8,8:16,32,64', 'narrow')
    .addOption(new Option('--batch-size <n>', 'images a training step').default(64).argParser(wholeNumberOf('--batch-size', 1, 4096)))
    .addOption(new Option('--seconds <n>', 'time for each figure').default(5).argParser(wholeNumberOf('--seconds', 1, 600)))
    .option('--json', 'JSON instead of a table');
  addDeviceFlags(command);
  return command.addHelpText('after', EXAMPLES).action(bench);
}

async function bench(flags: BenchFlags): Promise<void> {
  const width = resolveWidth(flags.width);
  const [{ MiniXception }, { syntheticFaces }, { residentData }, { resolveConfig }, { NO_TOTALS, openTrainer }] = await Promise.all([
    import('../model.js'),
    import('../data/synthetic.js'),
    import('../network/resident.js'),
    import('../training/config.js'),
    import('../training/trainer.js'),
  ]);
  using model = MiniXception.create({ width, device: flags.device, threads: flags.threads, precision: flags.precision });
  noteDevice(model);
  note(`${widthName(width)} network on ${model.deviceDescription}`);
  const data = syntheticFaces();
  const training = rowsOf(data, 'Training');
  const figures: Figure[] = [];

  const size = model.inputSize;
  for (const count of [1, 64, 1024]) {
    const images = data.images.subarray(0, count * size * size);
    figures.push(
      await measure(`predict, batch ${count}`, flags.seconds, count, 1, async () => void (await model.native.logits(images, count))),
    );
  }
  const config = resolveConfig({ preset: 'paper', batchSize: flags.batchSize });
  using resident = await residentData(data);
  using trainer = await openTrainer(model, resident, config);
  const steps = Math.ceil(training.length / flags.batchSize);
  const learningRates = new Float32Array(steps).fill(config.learningRate);
  let epoch = 0;
  const run = async (): Promise<void> =>
    void (await trainer.trainEpoch({ epoch: epoch++, indices: training, learningRates, from: NO_TOTALS }, () => undefined));
  figures.push(await measure(`train, batch ${flags.batchSize}`, flags.seconds, training.length, steps, run));
  if (flags.json)
    return print(JSON.stringify({ width: widthName(width), inputSize: size, device: model.deviceDescription, figures }, null, 2));
  print(
    table([
      ['', 'images/s', 'ms a batch', 'repetitions'],
      ...figures.map((figure) => [
        figure.name,
        thousands(figure.imagesPerSecond),
        figure.millisecondsABatch.toFixed(3),
        String(figure.repetitions),
      ]),
    ]),
  );
}

async function measure(name: string, seconds: number, images: number, batches: number, work: () => Promise<void>): Promise<Figure> {
  await work();
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until || times.length < 3) {
    const started = performance.now();
    await work();
    times.push((performance.now() - started) / 1000);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  return { name, imagesPerSecond: images / median, millisecondsABatch: (median / batches) * 1000, repetitions: times.length };
}
