import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { moment } from '../with/moment.mjs';
import { Broken, mustWork } from '../with/outcome.mjs';
import { fer } from '../with/program.mjs';
import { mustBeWhole } from '../with/whole.mjs';

const flags = (data, out) => [
  ...['experiment', 'width', '--data', data, '--no-cache', '--widths', '4,4:8,8', '4,8:8,16', '--input-size', '24'],
  ...['--presets', 'quick', '--epochs', '4', '--threads', '1', '--out', out],
];

/** The result as its report has it, without times and what is measured in them. */
function resultIn(out) {
  const timed = /second|time|date|statements|images/i;
  const text = readFileSync(path.join(out, 'report', 'width', 'result.json'), 'utf8');
  return JSON.parse(text, (key, value) => {
    if (timed.test(key)) return undefined;
    return key === 'comparisons' ? value.filter(({ format }) => format !== 'seconds') : value;
  });
}

export const killExperiment = {
  name: 'kill-experiment',
  about: 'SIGKILL at any moment of an experiment of two trainings and its report, then the same command',
  holds: 'the result is the unbroken experiment’s',
  count: 20,
  short: 1,
  async prepare({ folder, faces }) {
    const out = path.join(folder, 'experiment');
    const ended = await fer(flags(faces, out)).exited;
    mustWork(ended);
    return { seconds: ended.seconds, result: resultIn(out) };
  },
  async attempt({ folder, random, shared, mark }, { seconds, result }) {
    const out = path.join(folder, 'out');
    mkdirSync(out);
    for (let kills = 1 + Math.floor(random() * 2); kills > 0; kills--) {
      const program = fer(flags(shared.faces, out));
      const when = await moment(program, random, { seconds });
      program.kill();
      if ((await program.exited).signal) mark(readdirSync(out).includes('report') ? 'report' : 'cells', when);
      mustBeWhole(out);
    }
    mustWork(await fer(flags(shared.faces, out)).exited);
    if (!isDeepStrictEqual(resultIn(out), result)) throw new Broken('the result differs from the unbroken experiment’s');
  },
};
