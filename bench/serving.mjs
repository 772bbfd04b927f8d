#!/usr/bin/env node
// Requests a second of `fer-cudnn serve`, of JPEG and of raw pixels, beside onnxruntime-node in an equal fastify server, in one run: the two take
// turns, several times. Then how it fares with more than it can do: clients at twice its capacity for a while, every answer checked.
//   node bench/serving.mjs [--onnx narrow.onnx] [--seconds 10] [--rounds 3] [--overload 600] [--overload-kind raw|jpeg] [--out bench/results/serving.json]
// Needs: npm run build; for the comparison the model as ONNX (fer-cudnn export) and onnxruntime-node (npm install --prefix build/serving-peer --ignore-scripts onnxruntime-node).
// Only figures of a quiet machine mean something: it says whether it was one.
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import sharp from 'sharp';
import { readFlags } from '../scripts/flags.mjs';
import { MiniXception, syntheticFaces } from '../dist/index.js';
import { watch } from './quiet.mjs';

const { values } = readFlags({
  options: {
    onnx: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    overload: { type: 'string', default: '600' },
    'overload-kind': { type: 'string', default: 'raw' },
    out: { type: 'string' },
  },
});
const [seconds, rounds, connections, overload] = ['seconds', 'rounds', 'connections', 'overload'].map((name) => Number(values[name]));
const watched = watch();

const SIZE = 48;
const face = syntheticFaces().images.slice(0, SIZE * SIZE);
const raw = { raw: { width: SIZE, height: SIZE, channels: 1 } };
const BODIES = {
  jpeg: { type: 'image/jpeg', body: await sharp(face, raw).resize(200).jpeg({ quality: 90 }).toBuffer() },
  raw: { type: 'application/octet-stream', body: Buffer.from(face) },
};

/** A server in a process of its own: its address, and what it says of itself (event loop, memory) since it was last asked. */
async function started(contender) {
  // Both decode with as many threads as there are processors: with libuv's four on two of them, decoding takes the event loop's.
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()) };
  const child = fork(fileURLToPath(new URL('serving/server.mjs', import.meta.url)), [contender, values.onnx ?? ''], { env });
  const failed = new Promise((_, reject) => child.once('exit', (status) => reject(new Error(`${contender} ended: ${status}`))));
  failed.catch(() => undefined);
  const next = () => Promise.race([failed, new Promise((resolve) => child.once('message', resolve))]);
  const url = await next();
  return {
    url,
    async state() {
      child.send('state');
      return next();
    },
    stop() {
      child.kill();
      return new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

const cannon = (server, kind, more) =>
  autocannon({
    url: `${server.url}/v1/predict`,
    method: 'POST',
    headers: { 'content-type': BODIES[kind].type },
    body: BODIES[kind].body,
    connections,
    ...more,
  });

const contenders = ['fer-cudnn', ...(values.onnx ? ['onnxruntime-node'] : [])];
const servers = Object.fromEntries(await Promise.all(contenders.map(async (name) => [name, await started(name)])));
const runs = [];
for (const kind of Object.keys(BODIES))
  for (let round = -1; round < rounds; round++)
    for (const [contender, server] of Object.entries(servers)) {
      await server.state();
      const { requests, latency, non2xx, errors } = await cannon(server, kind, { duration: round < 0 ? 2 : seconds });
      const { delay } = await server.state();
      if (round < 0) continue; // to warm up
      runs.push({
        contender,
        kind,
        requestsASecond: requests.average,
        p50: latency.p50,
        p99: latency.p99,
        non2xx,
        errors,
        eventLoopDelay: delay,
      });
    }

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const summary = Object.keys(BODIES).flatMap((kind) =>
  contenders.map((contender) => {
    const own = runs.filter((run) => run.kind === kind && run.contender === contender);
    const of = (read) => median(own.map(read));
    return {
      kind,
      contender,
      requestsASecond: of((r) => r.requestsASecond),
      p50: of((r) => r.p50),
      p99: of((r) => r.p99),
      eventLoopDelayP99: of((r) => r.eventLoopDelay.p99),
    };
  }),
);
console.table(summary);
await servers['onnxruntime-node']?.stop();

const OVERLOADING = 400;

/** Answers to /v1/predict by status, as the server counts them. */
async function counted(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const count = (status) =>
    Number(new RegExp(`^fer_request_duration_seconds_count\\{route="/v1/predict",method="POST",status="${status}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0); // prettier-ignore
  return { 200: count(200), 503: count(503) };
}

/** Twice the capacity, every answer compared with the model's own; and how long /healthz takes meanwhile. */
async function overloaded(server, kind) {
  const model = await MiniXception.pretrained('narrow');
  const expected = JSON.stringify({
    model: 'narrow',
    predictions: [await model.predict(kind === 'raw' ? { pixels: face, width: SIZE, height: SIZE } : BODIES[kind].body)],
  });
  model.dispose();
  const capacity = summary.find((row) => row.kind === kind && row.contender === 'fer-cudnn').requestsASecond;
  const first = (await server.state()).rss;
  const health = fork(fileURLToPath(new URL('serving/health.mjs', import.meta.url)), [server.url]);
  await new Promise((resolve) => health.once('message', resolve));
  const before = await counted(server);
  // More connections than the queue has places, so that some are sent away.
  const busy = '"code":"ERR_FER_BUSY"';
  const verifyBody = (body) => String(body) === expected || String(body).includes(busy);
  const load = cannon(server, kind, { connections: OVERLOADING, overallRate: Math.ceil(2 * capacity), duration: overload, verifyBody });
  const middle = [];
  const watching = setInterval(async () => middle.push(await server.state()), 5000);
  const result = await load;
  clearInterval(watching);
  middle.push(await server.state());
  const after = await counted(server);
  const told = new Promise((resolve) => health.once('message', resolve));
  health.send('end');
  const healthMilliseconds = await told;
  return {
    kind,
    seconds: overload,
    asked: 2 * capacity,
    answered: result['2xx'],
    refused: result.statusCodeStats?.['503']?.count ?? 0,
    // At the end connections are cut: so many answers at most are on their way.
    serverSays: { answered: after[200] - before[200], refused: after[503] - before[503] },
    connections: OVERLOADING,
    wrong: result.mismatches,
    lost: result.errors + result.timeouts,
    healthMilliseconds,
    worstEventLoopDelayP99: Math.max(...middle.map(({ delay }) => delay.p99)),
    rssMiB: { before: first, during: middle.map(({ rss }) => rss), after: middle.at(-1).rss },
  };
}
const over = overload > 0 ? await overloaded(servers['fer-cudnn'], values['overload-kind']) : undefined;
if (over) console.log(JSON.stringify({ ...over, rssMiB: { ...over.rssMiB, during: undefined } }));
await servers['fer-cudnn'].stop();
const result = { connections, seconds, rounds, quiet: watched(), summary, runs, overload: over };
if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
