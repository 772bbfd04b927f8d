#!/usr/bin/env node
// Thousands of malformed bodies for one server: each has its status, none is the server's fault, a good picture is answered as before all the
// while, and memory, files and threads stay as they are.
//   npm run abuse [-- --count 10000] [--seed 1] [--out bench/results/abuse.json]
// Exit status 1 where something is wrong. Needs: npm run build.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readFlags } from '../../scripts/flags.mjs';
import { syntheticFaces } from '../../dist/index.js';
import { sendMalformed } from './malformed.mjs';

/** Clients at a time. */
const CLIENTS = 4;
/** MiB that the memory held may grow by from the second third to the last: the first warms up. */
const TOLERATED = 24;

const { values } = readFlags({
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, out: { type: 'string' } },
});
const count = Number(values.count);

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const server = spawn(process.execPath, [main, 'serve', '--port', '0', '--log-level', 'silent'], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise((resolve) => server.once('exit', resolve));
const url = await new Promise((resolve) => server.stdout.on('data', (bytes) => resolve(/http\S+/.exec(String(bytes))[0])));

const now = () => ({
  rssMiB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024),
  files: readdirSync(`/proc/${server.pid}/fd`).length,
  threads: readdirSync(`/proc/${server.pid}/task`).length,
});
const good = async () => {
  const body = syntheticFaces().images.slice(0, 48 * 48);
  const response = await fetch(`${url}/v1/predict`, { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } });
  return response.text();
};

const expected = await good();
const statuses = {};
const faults = [];
const samples = [];
let sent = 0;
const every = Math.max(1, Math.floor(count / 60));
let wrongAnswers = 0;
const share = Math.ceil(count / CLIENTS);
await Promise.all(
  Array.from({ length: CLIENTS }, (_, client) =>
    sendMalformed(url, Math.min(share, count - client * share), Number(values.seed) * CLIENTS + client, (status, about) => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status >= 500) faults.push(`${status} ${about}`);
      if (++sent % every !== 0) return;
      samples.push({ sent, ...now() });
      void good().then((answer) => void (wrongAnswers += answer !== expected));
    }),
  ),
);
if ((await good()) !== expected) wrongAnswers++;
server.kill('SIGTERM');
const status = await ended;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const third = (k, key) => median(samples.slice((k * samples.length) / 3, ((k + 1) * samples.length) / 3).map((sample) => sample[key]));
const grown = Object.fromEntries(['rssMiB', 'files', 'threads'].map((key) => [key, third(2, key) - third(1, key)]));
const wrong = [
  ...(sent === count ? [] : [`${count - sent} were not answered`]),
  ...(faults.length === 0 ? [] : [`${faults.length} were answered 5xx, such as ${faults[0]}`]),
  ...(wrongAnswers === 0 ? [] : [`${wrongAnswers} good pictures were answered otherwise`]),
  ...(grown.rssMiB <= TOLERATED ? [] : [`memory grew by ${grown.rssMiB} MiB`]),
  ...(status === 0 ? [] : [`the server ended with ${status}`]),
];
const result = { sent, statuses, wrong, grown, samples };
console.log(JSON.stringify({ ...result, samples: [samples[0], samples.at(-1)] }));
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
process.exit(wrong.length === 0 ? 0 : 1);
