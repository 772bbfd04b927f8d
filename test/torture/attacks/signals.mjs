import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { moment } from '../with/moment.mjs';
import { Broken, mustWork, told } from '../with/outcome.mjs';
import { fer } from '../with/program.mjs';
import { goOn, mustBeUnbroken, trainingFlags, unbrokenRun } from '../with/training.mjs';
import { mustBeWhole } from '../with/whole.mjs';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
const INTERRUPTED = 130;
const PATIENCE = 20; // seconds that finishing a step and saving may take, on a busy machine

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const signals = {
  name: 'signals',
  about: 'SIGINT, SIGTERM or SIGHUP, once or twice, at any moment of a training, then going on',
  holds: 'it ends soon and says that it was interrupted; the rest is the unbroken run’s to the bit',
  count: 36,
  short: 3,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, index, shared, mark }, { seconds, events }) {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    const [signal, status] = Object.entries(SIGNALS)[index % 3];
    const twice = Math.floor(index / 3) % 2 === 1;
    const program = fer(trainingFlags(shared.faces, run));
    const when = await moment(program, random, { seconds, events, folder: run });
    program.kill(signal);
    if (twice) await later(5 + random() * 200).then(() => program.kill(signal));
    const slow = setTimeout(() => program.kill(), PATIENCE * 1000);
    const ended = await program.exited;
    clearTimeout(slow);
    mark(`${signal}${twice ? ' twice' : ''}`, when);
    const expected = ended.signal === signal || [0, INTERRUPTED, status].includes(ended.status);
    if (!expected) throw new Broken(`expected an end by ${signal}, or status ${INTERRUPTED}: ${told(ended)}`);
    mustBeWhole(run);
    await goOn(shared.faces, run);
    await mustBeUnbroken(shared, run);
  },
};

const CLOSED = [['stdout'], ['stderr'], ['stdout', 'stderr']];

export const closedOutput = {
  name: 'closed-output',
  about: 'a training whose reader goes away (| head -1), before or after the first line; SIGPIPE',
  holds: 'the run is finished as if it were read',
  count: 16,
  short: 2,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, index, shared, mark }, { seconds }) {
    const run = path.join(folder, 'run');
    const program = fer(trainingFlags(shared.faces, run));
    const closed = CLOSED[index % 4];
    // Before Node has set itself up, SIGPIPE is nobody's to answer.
    if (!closed) await once(program.child.stderr, 'data');
    else if (random() < 0.5) await moment(program, random, { seconds });
    if (closed) for (const name of closed) program.child[name].destroy();
    else program.kill('SIGPIPE');
    mark(closed ? `${closed.join(' and ')} closed` : 'SIGPIPE', '');
    mustWork(await program.exited);
    await mustBeUnbroken(shared, run);
  },
};
