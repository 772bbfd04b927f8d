// SIGKILL to everything else that writes: packed data sets, compact files, models.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { moment } from '../with/moment.mjs';
import { Broken, mustWork } from '../with/outcome.mjs';
import { fer, MODELS, racer } from '../with/program.mjs';
import { mustBeWhole, sha256OfFile } from '../with/whole.mjs';

/** Runs `args` undisturbed with its output in `folder`: how long it takes, how often the folder changes, and the file it makes. */
async function undisturbed(folder, args, file, env) {
  mkdirSync(folder, { recursive: true });
  const ended = await fer(args, { env }).exited;
  mustWork(ended);
  return { seconds: ended.seconds, events: 4, hash: sha256OfFile(file()) };
}

/** Kills `args`, looks at what is there, and does it again. */
async function killAndRepeat({ folder, random, mark }, { seconds, events, hash }, args, file, env) {
  const program = fer(args, { env });
  const when = await moment(program, random, { seconds, events, folder });
  program.kill();
  const { signal } = await program.exited;
  if (signal) mark(path.basename(args[0]), when);
  mustBeWhole(folder);
  if (file() && sha256OfFile(file()) !== hash) throw new Broken('a file is there under its own name, but is not what it should be');
  mustWork(await fer(args, { env }).exited);
  if (sha256OfFile(file()) !== hash) throw new Broken('made again, the file is not what it should be');
}

const packIn = (folder) => () => {
  const name = readdirSync(folder).find((each) => each.endsWith('.pack'));
  return name && path.join(folder, name);
};

export const killPrepare = {
  name: 'kill-data-prepare',
  about: 'SIGKILL while a data set is packed, then packing again',
  holds: 'the packed copy is whole or absent, and right the second time',
  count: 20,
  short: 1,
  prepare: ({ folder, faces }) => {
    const cache = path.join(folder, 'prepared');
    return undisturbed(cache, ['data', 'prepare', faces], packIn(cache), { FER_CACHE_DIR: cache });
  },
  attempt: (attempt, whole) =>
    killAndRepeat(attempt, whole, ['data', 'prepare', attempt.shared.faces], packIn(attempt.folder), { FER_CACHE_DIR: attempt.folder }),
};

const compactArgs = (faces, file) => ['data', 'compact', faces, '--no-cache', '--fast', '-o', file];
const thatExists = (file) => () => (existsSync(file) ? file : undefined);

export const killCompact = {
  name: 'kill-data-compact',
  about: 'SIGKILL while a compact data set is written, then again',
  holds: 'the file is whole or absent, and right the second time',
  count: 15,
  short: 1,
  prepare: ({ folder, faces }) => {
    const file = path.join(folder, 'compact', 'faces.fer');
    return undisturbed(path.dirname(file), compactArgs(faces, file), thatExists(file));
  },
  attempt: (attempt, whole) => {
    const file = path.join(attempt.folder, 'faces.fer');
    return killAndRepeat(attempt, whole, compactArgs(attempt.shared.faces, file), thatExists(file));
  },
};

const convertArgs = (file) => ['convert', MODELS[0], file, '--force'];

export const killConvert = {
  name: 'kill-convert',
  about: 'SIGKILL while a model is converted, then again',
  holds: 'the file is whole or absent, and right the second time',
  count: 15,
  short: 1,
  prepare: ({ folder }) => {
    const file = path.join(folder, 'converted', 'model.safetensors');
    return undisturbed(path.dirname(file), convertArgs(file), thatExists(file));
  },
  attempt: (attempt, whole) => {
    const file = path.join(attempt.folder, 'model.safetensors');
    return killAndRepeat(attempt, whole, convertArgs(file), thatExists(file));
  },
};

export const killSave = {
  name: 'kill-model-save',
  about: 'SIGKILL while two models are saved over one file in turn',
  holds: 'the file is one of the two, whole',
  count: 20,
  short: 1,
  prepare: () => MODELS.map(sha256OfFile),
  async attempt({ folder, random, mark }, hashes) {
    const file = path.join(folder, 'model.safetensors');
    const program = racer({ task: 'save', file, models: MODELS, times: 100_000 });
    await program.ready;
    program.go(0);
    const when = await moment(program, random, { seconds: 0.3, events: 100, folder });
    program.kill();
    if ((await program.exited).signal) mark('saving', when);
    mustBeWhole(folder);
    // Saving adds nothing to what was loaded, so that the file is the model's own to the byte.
    if (existsSync(file) && !hashes.includes(sha256OfFile(file))) throw new Broken('the file is neither of the two models');
  },
};
