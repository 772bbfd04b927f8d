// A contestant of the races: loads the package, says that it is ready, is told on standard input at which moment it starts, and does its task.
// Errors are told as the command line tells them.
import { once } from 'node:events';
import { loadDataSet, MiniXception, resolveConfig } from '../../../dist/index.js';
import { networkOptions } from '../../../dist/training/config.js';

const { task, ...given } = JSON.parse(process.argv[2]);

const loaded = (files) => Promise.all(files.map((file) => MiniXception.load(file, { threads: 1 })));

/** Each prepares, and returns what it does at the start. */
const TASKS = {
  /** Trains in `folder`, or goes on there. */
  async train({ data: source, folder, width, inputSize, options, resume }) {
    const data = await loadDataSet(source, { size: inputSize, cache: false });
    const config = resolveConfig({ ...options, width, inputSize });
    const model = MiniXception.create(networkOptions(config, { classes: data.classes, threads: 1 }));
    return () => model.fit(data, resume ? { runFolder: folder, resume } : { ...options, runFolder: folder });
  },

  /** Saves `models` in turn over `file`, `times` times. */
  async save({ file, models: files, times }) {
    const models = await loaded(files);
    return async () => {
      for (let i = 0; i < times; i++) await models[i % models.length].save(file);
    };
  },

  /** The same, all at once. */
  async saveAtOnce({ file, models: files, times }) {
    const models = await loaded(files);
    return () => Promise.all(Array.from({ length: times }, (_, i) => models[i % models.length].save(file)));
  },
};

const work = await TASKS[task](given);
process.stdout.write('ready\n');
const [at] = await once(process.stdin, 'data');
// A timer would be a millisecond late or two, and each its own.
while (performance.timeOrigin + performance.now() < Number(at));
try {
  await work();
} catch (error) {
  process.stderr.write(`fer-cudnn: ${error.message.replace(/\s*\n\s*/g, ' ')} [${error.code ?? 'unexpected'}]\n`);
  process.exitCode = 1;
}
