// The training that is attacked: a few seconds, one thread, so that its weights are the same to the bit each time; and going on with it.
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Broken, mustFailTyped, mustWork, told } from './outcome.mjs';
import { fer, racer } from './program.mjs';
import { mustBeWhole, sha256OfFile, sha256OfTensors } from './whole.mjs';

const NETWORK = { width: '4,4:8,8', inputSize: 24 };
const OPTIONS = { preset: 'quick', batchSize: 32, epochs: 8 };

const flag = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export const trainingFlags = (data, folder, { seed = 0, threads = ['--threads', '1'] } = {}) => [
  ...['train', '--data', data, '--no-cache', '--run-dir', folder, ...threads],
  ...Object.entries({ ...NETWORK, ...OPTIONS, seed }).flatMap(([name, value]) => [flag(name), String(value)]),
];

/** The same through the API, in a program that waits for its start. */
export const trainingRacer = (data, folder, { seed = 0, resume = false } = {}) =>
  racer({ task: 'train', ...NETWORK, data, folder, options: { ...OPTIONS, seed }, resume });

/** What a finished run came to, without what no two runs share: how long things took. */
function factsOf(folder) {
  const file = (name) => path.join(folder, name);
  const timeless = ({ seconds: _seconds, imagesPerSecond: _rate, ...row }) => row;
  return {
    ...Object.fromEntries(['model', 'best', 'last'].map((name) => [name, sha256OfTensors(file(`${name}.safetensors`))])),
    rows: readFileSync(file('metrics.jsonl'), 'utf8').trimEnd().split('\n').map(JSON.parse).map(timeless),
    config: sha256OfFile(file('config.json')),
    evaluation: sha256OfFile(file('evaluation.json')),
  };
}

const unbroken = new Map();

/** A run that nothing befell: { facts, seconds, events }; events: changes in its folder. Each seed is trained once. */
export function unbrokenRun(shared, seed = 0) {
  if (!unbroken.has(seed)) unbroken.set(seed, train(shared, seed));
  return unbroken.get(seed);
}

async function train({ folder: base, faces }, seed) {
  const folder = path.join(base, `unbroken-${seed}`);
  mkdirSync(folder);
  let events = 0;
  const watcher = watch(folder, () => events++);
  const ended = await fer(trainingFlags(faces, folder, { seed })).exited;
  watcher.close();
  mustWork(ended);
  return { folder, facts: factsOf(folder), seconds: ended.seconds, events };
}

/** As a user would: `--resume`, or the same command where nothing was saved yet. Everything must work in the end. */
export async function goOn(data, folder, options = {}) {
  const again = () => fer(trainingFlags(data, folder, options), options).exited;
  if (!existsSync(folder) || readdirSync(folder).length === 0) return mustWork(await again());
  const resumed = await fer(['train', '--resume', folder, '--data', data, '--no-cache', '--threads', '1'], options).exited;
  if (resumed.status === 0) return;
  if (existsSync(path.join(folder, 'last.safetensors'))) throw new Broken(`the run cannot be resumed: ${told(resumed)}`);
  const repeated = await again();
  if (repeated.status !== 0) throw new Broken(`neither --resume nor the same command goes on. ${told(resumed)}. ${told(repeated)}`);
}

/** The run in `folder` came to what the unbroken one did, to the bit. */
export async function mustBeUnbroken(shared, folder, seed = 0) {
  const { facts } = await unbrokenRun(shared, seed);
  let found;
  try {
    found = factsOf(folder);
  } catch (error) {
    throw new Broken(`the finished run is not complete: ${error.message}`);
  }
  const differing = Object.keys(facts).filter((key) => !isDeepStrictEqual(facts[key], found[key]));
  if (differing.length > 0) throw new Broken(`not what the unbroken run came to: ${differing.join(', ')} differ`);
}

/**
 * What ended a training was told, or did not end it; either way the run comes to what the unbroken one did. `mended`: makes room
 * for it, once it was told.
 */
export async function mustRecover(shared, folder, ended, { mended = () => {}, ...options } = {}) {
  mustBeWhole(folder);
  if (ended.status !== 0) {
    mustFailTyped(ended);
    mended();
    await goOn(shared.faces, folder, options);
  }
  await mustBeUnbroken(shared, folder);
}
