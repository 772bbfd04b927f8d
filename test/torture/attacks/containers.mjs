// What containers are like: unknown users, read-only roots, little memory, half a processor.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { controlGroup } from '../with/control-group.mjs';
import { isRoot, ordinaryUser, readOnlyRoot, smallDisk } from '../with/namespace.mjs';
import { Broken, mustFailTyped, mustWork, Skip, told } from '../with/outcome.mjs';
import { fer } from '../with/program.mjs';
import { mustBeUnbroken, trainingFlags, unbrokenRun } from '../with/training.mjs';

const UNKNOWN_USER = 54321;
const MIB = 2 ** 20;

/** What somebody does first. */
const FIRST_STEPS = {
  predict: ({ picture }) => ['predict', picture],
  train: ({ faces }, folder) => trainingFlags(faces, path.join(folder, 'run')),
  'data info': ({ faces }) => ['data', 'info', faces, '--no-chart'],
  'data info, charts': ({ faces }, folder) => ['data', 'info', faces, '--out', folder],
  doctor: () => ['doctor'],
};

export const unknownUser = {
  name: 'unknown-user',
  about: 'a user id that the system does not know, without HOME',
  holds: `${Object.keys(FIRST_STEPS).join(', ')} work`,
  count: 5,
  short: 2,
  prepare: (shared) => {
    if (!isRoot()) throw new Skip('only root can become another user');
    return unbrokenRun(shared);
  },
  async attempt({ folder, index, shared, mark }) {
    const [name, args] = Object.entries(FIRST_STEPS)[index % 5];
    chmodSync(folder, 0o777);
    mark(name, '');
    mustWork(
      await fer(args(shared, folder), { wrap: [...ordinaryUser(UNKNOWN_USER), 'env', '--unset=HOME', '--unset=XDG_CACHE_HOME'] }).exited,
    );
    if (name === 'train') await mustBeUnbroken(shared, path.join(folder, 'run'));
  },
};

export const firstStepsReadOnly = {
  name: 'read-only-root',
  about: 'the root file system is read-only, the temporary folder with it; one small disk can be written',
  holds: `${Object.keys(FIRST_STEPS).join(', ')} work`,
  count: 5,
  short: 2,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, index, shared, mark }) {
    const [name, args] = Object.entries(FIRST_STEPS)[index % 5];
    const disk = smallDisk(path.join(folder, 'disk'), 16 * MIB);
    try {
      mark(name, '');
      const ended = await fer(args(shared, disk.folder), { wrap: readOnlyRoot() }).exited;
      // doctor tries a training in the temporary folder: it may say that it cannot.
      if (name === 'doctor') return void (ended.signal && mustWork(ended));
      mustWork(ended);
      if (name === 'train') await mustBeUnbroken(shared, path.join(disk.folder, 'run'));
    } finally {
      disk.remove();
    }
  },
};

export const nowhereToWrite = {
  name: 'read-only-everything',
  about: 'the root file system is read-only, and the run folder lies on it',
  holds: 'status 1 and a message with a code',
  count: 1,
  short: 1,
  async attempt({ folder, shared }) {
    mustFailTyped(await fer(trainingFlags(shared.faces, path.join(folder, 'run')), { wrap: readOnlyRoot() }).exited);
  },
};

const train = (width, batch, ...rest) => [
  ...['train', '--no-cache', '--epochs', '1', '--width', width, '--batch-size', String(batch), ...rest],
];
const GIB_10 = 10 * 2 ** 30;

/** Ten gibibytes of zeros in ten megabytes: gzip members one after another are one stream. */
function bomb(file) {
  const piece = 2 ** 24;
  writeFileSync(file, Buffer.concat(Array(GIB_10 / piece).fill(gzipSync(Buffer.alloc(piece), { level: 9 }))));
  return file;
}

/** Of nearly as many pixels as are read at all. */
async function hugePicture(file) {
  await sharp({ create: { width: 9_900, height: 9_900, channels: 3, background: '#777' } })
    .png()
    .toFile(file);
  return file;
}

/** `mustWorkFrom`: the MiB in which it has to succeed; `bad`: it is input that may be refused for what it is, and must not work. */
const WORK = {
  'train narrow, batch 16': {
    args: async ({ faces }, run) => [...train('narrow', 16, '--data', faces, '--run-dir', run)],
    mustWorkFrom: 512,
  },
  'train wide, batch 8': {
    args: async ({ handful }, run) => [...train('wide', 8, '--data', handful, '--run-dir', run)],
    mustWorkFrom: 1024,
  },
  'train wide, batch 256': { args: async ({ faces }, run) => [...train('wide', 256, '--data', faces, '--run-dir', run)] },
  'train narrow, batch 1024': { args: async ({ many }, run) => [...train('narrow', 1024, '--data', many, '--run-dir', run)] },
  'train narrow, input 512, batch 1024': {
    args: async ({ many }, run) => [...train('narrow', 1024, '--data', many, '--input-size', '512', '--run-dir', run)],
  },
  'predict 64 pictures': { args: async ({ pictures }) => ['predict', pictures, '--format', 'csv'], mustWorkFrom: 256 },
  'predict a picture of 98 million pixels': { args: async (_, folder) => ['predict', await hugePicture(`${folder}.png`)] },
  'evaluate wide': { args: async ({ faces, wide }) => ['evaluate', '--data', faces, '--no-cache', '--model', wide], mustWorkFrom: 1024 },
  'read ten gibibytes of zeros in a .csv.gz': {
    args: async (_, folder) => ['data', 'info', bomb(`${folder}.csv.gz`), '--no-cache'],
    bad: true,
  },
};
const LIMITS = [2048, 1024, 512, 256];
const CASES = LIMITS.flatMap((limit) => Object.keys(WORK).map((name) => ({ name, limit })));
/** Cases of the short form: seconds each, and what once died. */
const QUICK = [
  { name: 'train wide, batch 256', limit: 512 },
  { name: 'read ten gibibytes of zeros in a .csv.gz', limit: 1024 },
  { name: 'predict 64 pictures', limit: 256 },
];
const PATIENCE = 240; // seconds: of a busy machine

export const littleMemory = {
  name: 'little-memory',
  about: `a control group of ${LIMITS.join(', ')} MiB around: ${Object.keys(WORK).join('; ')}`,
  holds: 'it works, or ends with status 1 and ERR_FER_OUT_OF_MEMORY; what is small for the limit works',
  count: CASES.length,
  short: QUICK.length,
  alone: true,
  async attempt({ folder, index, shared, mark }) {
    const cases = shared.small ? QUICK : CASES;
    const { name, limit } = cases[index % cases.length];
    const { args, mustWorkFrom = Infinity, bad } = WORK[name];
    const group = controlGroup('memory', limit * MIB);
    try {
      const ended = await fer(await args(shared, path.join(folder, 'run')), { wrap: group.wrap, limit: PATIENCE }).exited;
      mark(`${limit} MiB`, name);
      if (ended.status === 0 && !bad) return;
      mustFailTyped(ended, bad ? ['ERR_FER_OUT_OF_MEMORY', 'ERR_FER_DATA_FORMAT'] : ['ERR_FER_OUT_OF_MEMORY']);
      if (limit >= mustWorkFrom) throw new Broken(`${name} has to work in ${limit} MiB: ${told(ended)}`);
    } catch (error) {
      throw new Broken(`${name} in ${limit} MiB: ${error.message}`, { cause: error });
    } finally {
      group.remove();
    }
  },
};

export const halfProcessor = {
  name: 'half-a-processor',
  about: 'a control group that allows half of one processor, and no --threads',
  holds: 'one thread is used, and the weights are those of one thread to the bit',
  count: 2,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, shared }) {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    const group = controlGroup('cpu', 0.5);
    try {
      const ended = await fer(trainingFlags(shared.faces, run, { threads: [] }), { wrap: group.wrap }).exited;
      mustWork(ended);
      if (!/\b1 thread\b/.test(ended.errors)) throw new Broken(`expected one thread: ${told(ended)}`);
      await mustBeUnbroken(shared, run);
    } finally {
      group.remove();
    }
  },
};
