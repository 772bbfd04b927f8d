// Disks that are full, read-only, forbidden or gone.
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { moment } from '../with/moment.mjs';
import { isRoot, ordinaryUser, smallDisk } from '../with/namespace.mjs';
import { Broken, mustFailTyped, mustWork, told } from '../with/outcome.mjs';
import { fer, MODELS } from '../with/program.mjs';
import { mustRecover, trainingFlags, unbrokenRun } from '../with/training.mjs';
import { mustBeWhole } from '../with/whole.mjs';

const PAGE = 4096;
const ROOMY = 64 * 2 ** 20;

const pagesOf = (folder) => readdirSync(folder).reduce((sum, name) => sum + Math.ceil(statSync(path.join(folder, name)).size / PAGE), 0);

/** Calls `work` with a disk of `bytes` that is gone afterwards. */
async function onDisk({ folder, keep }, bytes, work) {
  const disk = smallDisk(path.join(folder, 'disk'), bytes);
  try {
    await work(disk);
  } catch (error) {
    keep(disk.folder);
    throw error;
  } finally {
    disk.remove();
  }
}

const saysWhy = (ended) => {
  if (!/space|full|quota/i.test(ended.errors)) throw new Broken(`the message does not say that the disk is full: ${told(ended)}`);
};

export const fullDisk = {
  name: 'full-disk-training',
  about: 'the disk is full at some moment of a training; then there is room, and going on',
  holds: 'status 1 and a message with a code that says so; checkpoints are whole; the rest is the unbroken run’s to the bit',
  count: 30,
  short: 2,
  prepare: (shared) => unbrokenRun(shared),
  attempt(attempt, { folder: whole }) {
    const { random, shared, mark } = attempt;
    const pages = Math.floor(2 + random() * pagesOf(whole));
    return onDisk(attempt, pages * PAGE, async (disk) => {
      const run = path.join(disk.folder, 'run');
      const ended = await fer(trainingFlags(shared.faces, run)).exited;
      mark(existsSync(path.join(run, 'last.safetensors')) ? 'after a checkpoint' : 'before the first checkpoint', `${pages} pages`);
      await mustRecover(shared, run, ended, {
        mended: () => {
          saysWhy(ended);
          disk.resize(ROOMY);
        },
      });
    });
  },
};

const WRITERS = {
  'data prepare': ({ faces }, disk) => [['data', 'prepare', faces], { FER_CACHE_DIR: disk }],
  'data compact': ({ faces }, disk) => [['data', 'compact', faces, '--no-cache', '--fast', '-o', path.join(disk, 'faces.fer')]],
  convert: (_, disk) => [['convert', MODELS[0], path.join(disk, 'model.safetensors')]],
  experiment: ({ faces }, disk) => [['experiment', 'data', '--data', faces, '--no-cache', '--out', path.join(disk, 'out')]],
  explain: ({ picture }, disk) => [['explain', picture, '-o', path.join(disk, 'cam.png')]],
};

export const fullDiskWriters = {
  name: 'full-disk-writing',
  about: `a full disk under ${Object.keys(WRITERS).join(', ')}; then there is room`,
  holds: 'status 1 and a message with a code that says so; nothing half written; then it works',
  count: 10,
  short: 2,
  attempt(attempt) {
    const { index, random, shared, mark } = attempt;
    const [name, make] = Object.entries(WRITERS)[index % Object.keys(WRITERS).length];
    return onDisk(attempt, PAGE * Math.floor(1 + random() * 6), async (disk) => {
      const [args, env] = make(shared, disk.folder);
      const ended = await fer(args, { env }).exited;
      mark(name, '');
      mustFailTyped(ended);
      saysWhy(ended);
      mustBeWhole(disk.folder);
      disk.resize(ROOMY);
      mustWork(await fer(args, { env }).exited);
      mustBeWhole(disk.folder);
    });
  },
};

export const fullCache = {
  name: 'full-disk-cache',
  about: 'a full disk under the packed copies of data sets, which is a convenience',
  holds: 'the data set is read all the same',
  count: 2,
  short: 1,
  attempt: (attempt) =>
    onDisk(attempt, PAGE * 3, async (disk) => {
      mustWork(await fer(['data', 'info', attempt.shared.faces, '--no-chart'], { env: { FER_CACHE_DIR: disk.folder } }).exited);
      mustBeWhole(disk.folder);
    }),
};

export const readOnlyDisk = {
  name: 'read-only-disk',
  about: 'the disk becomes read-only during a training; then it can be written, and going on',
  holds: 'status 1 and a message with a code; the rest is the unbroken run’s to the bit',
  count: 10,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  attempt(attempt, { seconds, events }) {
    const { random, shared, mark } = attempt;
    return onDisk(attempt, ROOMY, async (disk) => {
      const run = path.join(disk.folder, 'run');
      mkdirSync(run);
      const program = fer(trainingFlags(shared.faces, run));
      const when = await moment(program, random, { seconds, events, folder: run });
      while (program.running() && !disk.readOnly(true));
      mark('read-only', when);
      const ended = await program.exited;
      disk.readOnly(false);
      await mustRecover(shared, run, ended);
    });
  },
};

export const permissions = {
  name: 'permissions-training',
  about: 'an ordinary user loses the right to write the run folder during a training; then has it again, and going on',
  holds: 'status 1 and a message with a code; the rest is the unbroken run’s to the bit',
  count: 10,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, shared, mark }, { seconds, events }) {
    const run = path.join(folder, 'run');
    const wrap = ordinaryUser();
    mkdirSync(run);
    if (isRoot()) chownSync(run, 65534, 65534);
    const program = fer(trainingFlags(shared.faces, run), { wrap });
    const when = await moment(program, random, { seconds, events, folder: run });
    chmodSync(run, 0o555);
    mark('no right to write', when);
    const ended = await program.exited;
    chmodSync(run, 0o755);
    await mustRecover(shared, run, ended, { wrap });
  },
};

const FORBIDDEN = [
  ['data set', 'faces', (file) => ['data', 'info', file, '--no-chart']],
  ['picture', 'picture', (file) => ['predict', file]],
  ['model', 'model', (file, { picture }) => ['predict', picture, '--model', file]],
];

export const forbiddenFiles = {
  name: 'permissions-reading',
  about: 'an ordinary user has no right to read the data set, the picture or the model',
  holds: 'status 1 and ERR_FER_DATA_NOT_FOUND',
  count: 3,
  short: 1,
  async attempt({ folder, index, shared, mark }) {
    const [name, source, args] = FORBIDDEN[index % FORBIDDEN.length];
    const file = path.join(folder, path.basename(shared[source]));
    copyFileSync(shared[source], file);
    chmodSync(file, 0);
    mark(name, '');
    const ended = await fer(args(file, shared), { wrap: ordinaryUser(), env: { FER_CACHE_DIR: folder } }).exited;
    mustFailTyped(ended, ['ERR_FER_DATA_NOT_FOUND']);
  },
};

/** As `rm -rf` until it is gone: files may come between its looking into the folder and its removing it. */
function removeWhileWritten(folder) {
  for (let tries = 20; ; tries--) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' || tries === 0) throw error;
    }
  }
}

export const removedFolder = {
  name: 'removed-folder',
  about: 'somebody removes the run folder during a training',
  holds: 'a finished run all the same, or status 1 and a message with a code',
  count: 12,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, shared, mark }, { seconds, events }) {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    const program = fer(trainingFlags(shared.faces, run));
    const when = await moment(program, random, { seconds: seconds * 0.8, events, folder: run });
    if (!program.running()) return mark('after its end', when);
    const had = existsSync(path.join(run, 'model.safetensors'));
    removeWhileWritten(run);
    mark(had ? 'removed with the finished model' : 'removed', when);
    const ended = await program.exited;
    mustBeWhole(run);
    if (ended.status !== 0) mustFailTyped(ended);
    else if (!had && !existsSync(path.join(run, 'model.safetensors'))) throw new Broken('status 0, but there is no model');
  },
};
