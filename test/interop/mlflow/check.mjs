// A run on an MLflow server, interrupted once, as MLflow's own client has it; and what a server that is not there costs.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { mlflow } from '../../../dist/index.js';
import { differences, EPOCHS, interruptedTraining } from '../tracked.mjs';

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** A server whose database and files are in `folder`; `work` is given its address. */
async function withServer(folder, bin, work) {
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1', '--backend-store-uri', `sqlite:///${folder}/mlflow.db`, '--artifacts-destination', `${folder}/artifacts`]; // prettier-ignore
  const log = [];
  const server = spawn(path.join(bin, 'mlflow'), args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => log.push(chunk));
  try {
    const healthy = () => fetch(`${uri}/health`).then(({ ok }) => ok, () => false); // prettier-ignore
    for (let tries = 0; !(await healthy()); tries++) {
      if (tries > 180 || server.exitCode !== null) throw new Error(`the MLflow server did not start:\n${Buffer.concat(log)}`);
      await wait(1000);
    }
    return await work(uri);
  } finally {
    // It has workers of its own, all in its group.
    if (server.exitCode === null) process.kill(-server.pid, 'SIGTERM');
    await Promise.race([new Promise((resolve) => server.once('exit', resolve)), wait(10_000)]);
  }
}

export async function check({ folder, python }) {
  const runFolder = path.join(folder, 'run');
  return withServer(folder, python.bin, async (uri) => {
    const { result, rows } = await interruptedTraining(runFolder, () => [mlflow({ uri, experiment: 'faces' })]);
    writeFileSync(
      path.join(folder, 'tags.json'),
      JSON.stringify(['test/accuracy', ...Object.keys((await import('../tracked.mjs')).SCALARS)]),
    );
    const { runs, metrics, params, status, artifacts, model } = python(new URL('check.py', import.meta.url), uri, 'faces', path.join(folder, 'tags.json'), folder); // prettier-ignore
    const wrong = differences(metrics, rows);
    if (runs !== 1 || status !== 'FINISHED' || rows.length !== EPOCHS) wrong.push(`${runs} runs, ${status}, ${rows.length} epochs`);
    if (Math.abs(metrics['test/accuracy'][0][1] - result.evaluation.accuracy) > 1e-9) wrong.push('test/accuracy differs');
    for (const [key, value] of Object.entries(result.config))
      if (params[key] !== String(value)) wrong.push(`${key}: ${params[key]}, expected ${value}`);
    if (!readFileSync(model).equals(readFileSync(path.join(runFolder, 'model.safetensors')))) wrong.push('the model came back otherwise');
    const figures = {
      runs,
      status,
      epochs: rows.length,
      params: Object.keys(params).length,
      metrics: Object.keys(metrics).length,
      artifacts,
    };
    return {
      ...figures,
      wrong,
      lines: [
        `${runs} run, ${status}, over an interruption: ${figures.metrics} metrics of ${figures.epochs} epochs once each, ${figures.params} params; ` +
          `files ${artifacts.join(', ')}, the model byte for byte`,
      ],
    };
  });
}
