import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { moment } from '../with/moment.mjs';
import { Broken, Skip } from '../with/outcome.mjs';
import { fer } from '../with/program.mjs';
import { goOn, mustBeUnbroken, trainingFlags, unbrokenRun } from '../with/training.mjs';
import { mustBeWhole, temporaryFiles } from '../with/whole.mjs';

/** How far the run was, by what lies in its folder; `before`: temporary files that an earlier one had left. */
function stage(folder, before) {
  const there = (name) => existsSync(path.join(folder, name));
  if (temporaryFiles(folder).some((file) => !before.includes(file))) return 'writing a file';
  if (readdirSync(folder).length === 0) return 'starting';
  if (!there('last.safetensors')) return 'before the first checkpoint';
  return there('model.safetensors') || there('evaluation.json') ? 'writing the report' : 'training';
}

export const killTraining = {
  name: 'kill-training',
  about: 'SIGKILL at any moment of a training, up to three times, then going on',
  holds: 'files are whole or absent; weights, metrics and figures are the unbroken run’s to the bit',
  count: 100,
  short: 4,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, shared, mark }, { seconds, events }) {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    let args = trainingFlags(shared.faces, run);
    for (let kills = 1 + Math.floor(random() * 3); kills > 0; kills--) {
      const before = temporaryFiles(run);
      const program = fer(args);
      const when = await moment(program, random, { seconds, events, folder: run });
      program.kill();
      const { signal } = await program.exited;
      if (signal) mark(stage(run, before), when);
      mustBeWhole(run);
      if (existsSync(path.join(run, 'last.safetensors')))
        args = ['train', '--resume', run, '--data', shared.faces, '--no-cache', '--threads', '1'];
      else break;
    }
    await goOn(shared.faces, run);
    await mustBeUnbroken(shared, run);
  },
};

export const killedLeaveNothing = {
  name: 'kill-leftovers',
  about: 'SIGKILL while a file is being written, then going on',
  holds: 'no temporary file is left behind',
  count: 10,
  short: 1,
  prepare: (shared) => unbrokenRun(shared),
  async attempt({ folder, random, shared, mark }, { seconds, events }) {
    const run = path.join(folder, 'run');
    const cleared = () => temporaryFiles(run).length === 0;
    for (let tries = 0; tries < 20; tries++) {
      mkdirSync(run, { recursive: true });
      const program = fer(trainingFlags(shared.faces, run));
      const when = await moment(program, () => random() / 2, { seconds, events, folder: run });
      program.kill();
      await program.exited;
      if (!cleared() && existsSync(path.join(run, 'last.safetensors'))) {
        mark('writing a file', when);
        await goOn(shared.faces, run);
        if (cleared()) return;
        const left = temporaryFiles(run).map((file) => path.basename(file));
        throw new Broken(`left behind: ${left.join(', ')}`);
      }
      rmSync(run, { recursive: true });
    }
    throw new Skip('no kill fell within a write');
  },
};
