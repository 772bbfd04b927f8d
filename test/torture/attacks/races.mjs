// Many processes at one file or folder.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Broken, mustFailTyped, mustWork, told } from '../with/outcome.mjs';
import { fer, MODELS, racer } from '../with/program.mjs';
import { mustBeUnbroken, trainingFlags, trainingRacer, unbrokenRun } from '../with/training.mjs';
import { sha256OfFile, temporaryFiles } from '../with/whole.mjs';

const MANY = 20;
const SPREAD = 4; // milliseconds between the first and the last
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts all at one moment, some of them a little later; how each ended. */
async function race(racers, random) {
  await Promise.all(racers.map(({ ready }) => ready));
  const moment = Date.now() + 10 + racers.length;
  for (const { go } of racers) go(moment + (random() < 0.5 ? 0 : random() * SPREAD));
  return Promise.all(racers.map(({ exited }) => exited));
}

/** Exactly one of them did it; the others were refused with a code. Returns the winner's place. */
function oneWinner(ended) {
  const winners = ended.flatMap(({ status }, i) => (status === 0 ? [i] : []));
  if (winners.length === 0) throw new Broken(`none of ${ended.length} did it. ${told(ended[0])}`);
  if (winners.length > 1) throw new Broken(`${winners.length} of ${ended.length} believe that they did it`);
  for (const [i, each] of ended.entries()) if (i !== winners[0]) mustFailTyped(each, ['ERR_FER_CHECKPOINT']);
  return winners[0];
}

const nothingLeft = (folder) => {
  const left = temporaryFiles(folder);
  if (left.length > 0) throw new Broken(`left behind: ${left.map((file) => path.basename(file)).join(', ')}`);
};

/** Two seeds, so that a run made by two processes is neither of the unbroken ones. */
const seedOf = (place) => place % 2;
const bothSeeds = (shared) => Promise.all([0, 1].map((seed) => unbrokenRun(shared, seed)));

async function raceForFolder({ folder, random, shared }, count) {
  const run = path.join(folder, 'run');
  const racers = Array.from({ length: count }, (_, i) => trainingRacer(shared.faces, run, { seed: seedOf(i) }));
  const winner = oneWinner(await race(racers, random));
  await mustBeUnbroken(shared, run, seedOf(winner));
}

export const racePairs = {
  name: 'race-run-folder',
  about: 'two trainings begin in one run folder at the same moment',
  holds: 'exactly one does, and its run is the unbroken one’s; the other gets ERR_FER_CHECKPOINT',
  count: 200,
  short: 2,
  prepare: bothSeeds,
  attempt: (attempt) => raceForFolder(attempt, 2),
};

export const raceMany = {
  name: 'race-run-folder-20',
  about: `${MANY} trainings begin in one run folder at the same moment`,
  holds: racePairs.holds,
  count: 4,
  short: 0,
  alone: true,
  prepare: bothSeeds,
  attempt: (attempt) => raceForFolder(attempt, MANY),
};

export const raceResume = {
  name: 'race-resume',
  about: 'two resumptions of one interrupted run at the same moment',
  holds: 'exactly one goes on, to the unbroken run’s weights; the other gets ERR_FER_CHECKPOINT',
  count: 15,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, shared }) {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    const first = fer(trainingFlags(shared.faces, run));
    while (first.running() && !existsSync(path.join(run, 'last.safetensors'))) await later(5);
    first.kill('SIGINT');
    await first.exited;
    oneWinner(
      await race(
        [0, 1].map(() => trainingRacer(shared.faces, run, { resume: true })),
        random,
      ),
    );
    await mustBeUnbroken(shared, run);
  },
};

export const raceCache = {
  name: 'race-cache',
  about: `${MANY} processes pack one data set at the same moment`,
  holds: 'all succeed; one whole packed copy, no temporary file',
  count: 4,
  short: 0,
  alone: true,
  async prepare({ folder, faces }) {
    const cache = path.join(folder, 'packed-once');
    mustWork(await fer(['data', 'prepare', faces], { env: { FER_CACHE_DIR: cache } }).exited);
    return sha256OfFile(path.join(cache, readdirSync(cache)[0]));
  },
  async attempt({ folder, shared }, hash) {
    const programs = Array.from({ length: MANY }, () => fer(['data', 'prepare', shared.faces], { env: { FER_CACHE_DIR: folder } }));
    for (const ended of await Promise.all(programs.map(({ exited }) => exited))) mustWork(ended);
    nothingLeft(folder);
    const packed = readdirSync(folder);
    if (packed.length !== 1) throw new Broken(`expected one packed copy, got ${packed.join(', ')}`);
    if (sha256OfFile(path.join(folder, packed[0])) !== hash) throw new Broken('the packed copy is not what one process alone makes');
  },
};

async function raceForModel({ folder, random }, hashes, count) {
  const file = path.join(folder, 'model.safetensors');
  const racers = Array.from({ length: count }, (_, i) => racer({ task: 'save', file, models: [MODELS[i % 2]], times: 20 }));
  for (const ended of await race(racers, random)) mustWork(ended);
  nothingLeft(folder);
  if (!hashes.includes(sha256OfFile(file))) throw new Broken('the file is neither of the two models');
}

/** Of one process the names could be told apart by a counter; of several they have to be by more. */
export const raceModel = {
  name: 'race-model-file',
  about: `${MANY} processes save two models over one file, again and again`,
  holds: 'all succeed; the file is one of the models, whole; no temporary file',
  count: 4,
  short: 1,
  alone: true,
  prepare: () => MODELS.map(sha256OfFile),
  attempt: (attempt, hashes) => raceForModel(attempt, hashes, attempt.shared.small ? 4 : MANY),
};

export const raceWithin = {
  name: 'race-one-process',
  about: `one process saves to one file ${MANY} times at once`,
  holds: raceModel.holds,
  count: 4,
  short: 1,
  prepare: () => MODELS.map(sha256OfFile),
  async attempt({ folder, random }, hashes) {
    const file = path.join(folder, 'model.safetensors');
    const [ended] = await race([racer({ task: 'saveAtOnce', file, models: MODELS, times: MANY })], random);
    mustWork(ended);
    nothingLeft(folder);
    if (!hashes.includes(sha256OfFile(file))) throw new Broken('the file is neither of the two models');
  },
};
