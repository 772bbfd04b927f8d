/** Starting a server, and ending it so that nothing that it took is lost. */
import type { AddressInfo } from 'node:net';
import { FerError } from '../errors.js';
import { faceFinder, type OwnFaceFinder } from '../faces/finder.js';
import { bodyMemory, createApp, version } from './app.js';
import { Gate } from './gate.js';
import { serverLibraries } from './libraries.js';
import { Metrics } from './metrics.js';
import { ServedModels } from './models.js';
import { settingsOf, type ServeOptions } from './options.js';

/** @throws {FerError} as `serve` */
export async function start(options: ServeOptions) {
  const settings = settingsOf(options);
  const [libraries, { default: sharp }] = await Promise.all([serverLibraries(), import('sharp')]);
  // No picture comes twice, and what it keeps of them costs memory and time.
  sharp.cache(false);
  const gate = new Gate({ requests: settings.queue, bytes: bodyMemory(settings.bodyLimit) });
  const metrics = new Metrics(libraries, () => gate);
  const { device, threads, precision } = settings;
  const models = await ServedModels.load(
    settings.models,
    { device, threads, precision },
    { maxBatch: settings.maxBatch, delay: settings.batchDelay, onBatch: (model, images) => metrics.batch(model, images) },
  );
  let ready = true;
  let found: OwnFaceFinder | undefined;
  const finder = (): OwnFaceFinder => (found ??= faceFinder());
  const app = await createApp(libraries, { settings, models, gate, metrics, ready: () => ready, version, finder });
  const { host, port } = settings;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    models.dispose();
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program listens there; choose another with --port' : message;
    throw new FerError('ERR_FER_SERVER', `cannot listen on ${host}:${port}: ${why}`, { cause, details: { host, port } });
  }
  const [address] = app.addresses() as AddressInfo[];
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    ready = false;
    const late = setTimeout(() => app.server.closeAllConnections(), settings.grace * 1000);
    await app.close();
    clearTimeout(late);
    await found?.close();
    models.dispose();
  };
  const close = (): Promise<void> => (closing ??= end());
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, port: address.port, close, [Symbol.asyncDispose]: close };
}
