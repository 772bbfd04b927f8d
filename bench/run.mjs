#!/usr/bin/env node
// Training steps and predictions in both precisions beside every mode of every peer, each in a process of its own, in turn, so that
// a noisy machine treats all alike. The ratios are to the fastest mode of any peer, by medians and by fastest.
//   node bench/run.mjs --python build/peers/bin/python --out bench/results/<name>.json
//     [--rounds 3] [--seconds 1.5] [--threads 0] [--limit 300] [--widths narrow,wide] [--only training|prediction]
//     [--batches 1,40] [--precisions fp32,bf16]
// Without --python this package alone is measured. Needs: npm run build, a C++ compiler, and for a quick look --rounds 1 --seconds 0.5.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../scripts/flags.mjs';
import { contenders, measure, nameOf } from './contenders.mjs';
import { median } from './measure.mjs';
import { watch } from './quiet.mjs';

const FAR_SLOWER = 5; // times the fastest peer's first round, by the fastest call of each: a peer's mode that is not measured again
const BATCHES = { training: [15, 40], prediction: [1, 15, 40, 64, 256] };

const { values } = readFlags({
  options: {
    python: { type: 'string' },
    out: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1.5' },
    threads: { type: 'string', default: '0' },
    limit: { type: 'string', default: '300' },
    widths: { type: 'string', default: 'narrow,wide' },
    only: { type: 'string', default: 'training,prediction' },
    batches: { type: 'string' },
    precisions: { type: 'string', default: 'fp32,bf16' },
  },
});
const listed = (text) => text.split(',');
const threads = Number(values.threads) || availableParallelism();
const [rounds, seconds, limit] = [values.rounds, values.seconds, values.limit].map(Number);
const tell = (text) => process.stderr.write(`${text}\n`);
const warn = (text) => tell(`\n*** NOT QUIET: ${text}. Ratios of this run mean little. ***\n`);
// More digits than a clock is good for would make the files long.
const short = (_, value) => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);
const written = (result) => `${JSON.stringify(result, short, 1)}\n`;

function peak() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const binary = path.join(root, 'build', 'peak');
  mkdirSync(path.dirname(binary), { recursive: true });
  const flags = ['-O2', '-march=native', '-std=c++17', '-pthread'];
  execFileSync(process.env.CXX ?? 'c++', [...flags, path.join(root, 'bench', 'peak.cc'), '-o', binary]);
  return JSON.parse(execFileSync(binary, [String(threads)], { encoding: 'utf8' }));
}

function bf16Flags() {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return ['avx512_bf16', 'amx_tile', 'amx_bf16'].filter((flag) => flags.includes(flag));
}

/** One contender's rounds of one batch size: the median of the medians, the fastest of all, and why it failed or was given up. */
class Figures {
  lines = [];
  add(line) {
    if (line.failed) this.failed = line.failed;
    else this.lines.push(line);
  }

  get measured() {
    return this.lines.length > 0;
  }
  get over() {
    return this.failed !== undefined || this.farSlower === true;
  }
  get milliseconds() {
    return median(this.lines.map((line) => line.milliseconds));
  }
  get fastest() {
    return Math.min(...this.lines.map((line) => line.fastest));
  }
  toJSON() {
    const { lines, farSlower, failed } = this;
    const { milliseconds, fastest } = this.measured ? this : {};
    return { milliseconds, fastest, rounds: lines.map((line) => line.milliseconds), farSlower, failed };
  }
}

/** The rounds of one kind of work at one width: [{ contender, batch, figures }]. */
async function compete(work, width, batches) {
  const asked = contenders(work, values.python).filter(({ precision }) => listed(values.precisions).includes(precision));
  const entries = asked.flatMap((contender) => batches.map((batch) => ({ contender, batch, figures: new Figures() })));
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 ? [...asked].reverse() : asked) {
      const open = entries.filter((entry) => entry.contender === contender && !entry.figures.over);
      if (open.length === 0) continue;
      const started = performance.now();
      const found = await measure(contender, { width, batches: open.map(({ batch }) => batch), threads, seconds, limit });
      for (const { batch, figures } of open) figures.add(found.get(batch));
      const said = open.map(({ batch }) => found.get(batch).failed ?? `${short('', found.get(batch).milliseconds)} ms`);
      const took = `${((performance.now() - started) / 1000).toFixed(0)} s`;
      tell(`round ${round + 1}, ${work}, ${width}, ${nameOf(contender)}: ${[...new Set(said)].join(', ')} (${took})`);
    }
    if (round === 0)
      for (const batch of batches) {
        const those = entries.filter((entry) => entry.contender.peer !== 'ours' && entry.batch === batch && entry.figures.measured);
        const best = Math.min(...those.map(({ figures }) => figures.fastest));
        for (const { figures } of those) if (figures.fastest > FAR_SLOWER * best) figures.farSlower = true;
      }
  }
  return entries;
}

/** The fastest by `key` of `entries`, by name. */
function best(entries, key) {
  const [first] = entries.filter(({ figures }) => figures.measured).sort((a, b) => a.figures[key] - b.figures[key]);
  return first && { name: nameOf(first.contender), milliseconds: first.figures[key] };
}
const bestOf = (entries) => ({ median: best(entries, 'milliseconds'), fastest: best(entries, 'fastest') });
const ratios = (figures, { median, fastest }) =>
  median && { median: median.milliseconds / figures.milliseconds, fastest: fastest.milliseconds / figures.fastest };

/** A row of the result: ours in each precision, all modes of the peers, the best of them and how many times as long it takes. */
function row(work, width, batch, entries, peaks) {
  const isOurs = ({ contender }) => contender.peer === 'ours';
  const peers = entries.filter((entry) => !isOurs(entry));
  const bestPeers = { all: bestOf(peers), fp32: bestOf(peers.filter(({ contender }) => contender.precision === 'fp32')) };
  const mine = entries.filter(isOurs).map(({ contender: { precision }, figures }) => {
    const record = figures.toJSON();
    if (figures.measured) {
      const { flops, version } = figures.lines[0];
      const share = (milliseconds) => flops / milliseconds / 1e6 / peaks[precision].allThreads;
      if (peaks[precision]) record.shareOfPeak = { median: share(figures.milliseconds), fastest: share(figures.fastest) };
      record.device = version;
      record.ratio = ratios(figures, bestPeers.all);
      if (precision === 'fp32') record.ratioToFp32 = ratios(figures, bestPeers.fp32);
    }
    return [precision, record];
  });
  const modes = peers.map(({ contender: { peer, mode, precision }, figures }) => ({ peer, mode, precision, ...figures.toJSON() }));
  return { work, width, batch, ours: Object.fromEntries(mine), best: bestPeers, peers: modes };
}

const finish = watch();
const early = finish();
if (!early.quiet) warn(early.why);
const result = {
  date: new Date().toISOString().slice(0, 10),
  machine: { processor: cpus()[0].model, bf16: bf16Flags() },
  threads,
  rounds,
  seconds,
  node: process.versions.node,
  versions: {},
  load: early,
  peakGflops: peak(),
  rows: [],
};
for (const work of listed(values.only))
  for (const width of listed(values.widths)) {
    const batches = values.batches ? listed(values.batches).map(Number) : BATCHES[work];
    const entries = await compete(work, width, batches);
    for (const { contender, figures } of entries)
      if (contender.peer !== 'ours' && figures.measured) result.versions[contender.peer] = figures.lines[0].version;
    for (const batch of batches) {
      const those = entries.filter((entry) => entry.batch === batch);
      result.rows.push(row(work, width, batch, those, result.peakGflops));
    }
    result.load = finish();
    if (values.out) writeFileSync(values.out, written(result)); // now, as a long run may be cut short
  }
if (!values.out) process.stdout.write(written(result));
if (!result.load.quiet) warn(result.load.why);
