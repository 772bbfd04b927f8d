/** The server's routes and what holds for all of them: who is let in, what a failure looks like, what is logged and counted. */
import { createRequire } from 'node:module';
import type { FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify';
import { failureOf, RequestError } from './failure.js';
import type { Libraries } from './libraries.js';
import { BODIES } from './options.js';
import { GUARDED, OPEN, PROTOCOL } from './routes/registry.js';
import { MIB, type Service } from './service.js';
import './work.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
export { version };

/** Bodies that come as they are; forms are read as they arrive, JSON by fastify. */
const BINARY = [/^image\/[\w.+-]+$/, 'application/octet-stream'];

function fastifyOptions({ settings }: Service, { LogController }: Libraries): FastifyServerOptions {
  const milliseconds = settings.timeout * 1000;
  return {
    bodyLimit: settings.bodyLimit * MIB,
    // Slow clients: the head, and then the whole request, have to arrive in time.
    requestTimeout: milliseconds,
    connectionTimeout: 2 * milliseconds,
    keepAliveTimeout: 5000,
    http: { headersTimeout: Math.min(milliseconds, 10_000), connectionsCheckingInterval: 500, maxHeaderSize: 16 * 1024 },
    forceCloseConnections: 'idle',
    // One line a request, by the hook below.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 200 },
    logger: settings.logLevel === 'silent' ? false : { level: settings.logLevel, stream: process.stderr },
  } as FastifyServerOptions;
}

/** One for all: a server that is full has no time for stacks. */
const BUSY = new RequestError(503, 'ERR_FER_BUSY', 'too many requests are under way; come again after Retry-After seconds');

/** How often it is looked for answers that took too long, milliseconds. */
const SWEEP = 250;

/** Ends requests that are not answered in time. One timer for all: fastify's own makes a timer and an abort signal for each. */
function deadline(milliseconds: number): { watch: (reply: FastifyReply) => void; forget: (reply: FastifyReply) => void; end: () => void } {
  // In the order in which they began.
  const open = new Map<FastifyReply, number>();
  const timer = setInterval(() => {
    const oldest = performance.now() - milliseconds;
    for (const [reply, began] of open) {
      if (began > oldest) break;
      open.delete(reply);
      if (!reply.sent) reply.send(new RequestError(503, 'ERR_FER_TIMEOUT', 'the answer took too long'));
    }
  }, SWEEP);
  timer.unref();
  return {
    watch: (reply) => void open.set(reply, performance.now()),
    forget: (reply) => void open.delete(reply),
    end: () => clearInterval(timer),
  };
}

export async function createApp(libraries: Libraries, service: Service): Promise<FastifyInstance> {
  const { settings } = service;
  const app = libraries.fastify(fastifyOptions(service, libraries)) as unknown as FastifyInstance;

  const late = deadline(settings.timeout * 1000);
  app.addHook('onClose', async () => late.end());
  // Hooks without promises: each request passes them.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config.work) return done();
    const leave = service.gate.enter(Number(request.headers['content-length'] ?? settings.bodyLimit * MIB));
    if (!leave) {
      reply.header('retry-after', service.gate.retryAfter);
      return done(BUSY);
    }
    late.watch(reply);
    // Emitted once the answer is out; and where the client goes away, which gives its place back, too.
    reply.raw.once('close', () => {
      leave();
      late.forget(reply);
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    service.metrics.request(route, method, reply.statusCode, reply.elapsedTime / 1000);
    request.log.info({ method, route, status: reply.statusCode, ms: Number(reply.elapsedTime.toFixed(2)), from: request.ip });
    done();
  });
  const resource = settings.corsOrigins.length > 0 ? 'cross-origin' : 'same-origin';
  app.addHook('onSend', (_, reply, __, done) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': resource });
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message } = failureOf(error);
    if (status >= 500 && code === 'ERR_FER_SERVER') request.log.error(error);
    return reply.code(status).send({ error: { code, message } });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: { code: 'ERR_FER_NOT_FOUND', message: `there is no ${request.method} ${request.url.split('?')[0].slice(0, 200)} here` },
    }),
  );
  for (const type of BINARY) app.addContentTypeParser(type, { parseAs: 'buffer' }, (_, body, done) => done(null, body));

  await app.register(libraries.multipart, {
    limits: {
      fileSize: settings.bodyLimit * MIB,
      files: settings.maxImages,
      fields: 32,
      parts: settings.maxImages + 32,
      fieldSize: 64 * 1024,
      headerPairs: 32,
    },
  });
  if (settings.corsOrigins.length > 0)
    await app.register(libraries.cors, { origin: [...settings.corsOrigins], methods: ['GET', 'POST'], exposedHeaders: ['retry-after'] });
  await app.register(libraries.swagger, {
    openapi: {
      info: { title: 'fer-cudnn', version: service.version, description: 'Facial expressions on pictures: docs/serving.md.' },
      ...(settings.token
        ? { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }, security: [{ token: [] }] }
        : {}),
    },
  });
  await app.register(libraries.swaggerUi, { routePrefix: '/docs', staticCSP: true });

  await app.register(async (scope) => {
    for (const routes of OPEN) routes(scope, service);
  });
  await app.register(async (scope) => {
    if (settings.token)
      await scope.register(libraries.bearerAuth, {
        keys: new Set([settings.token]),
        errorResponse: unauthorised as unknown as (error: Error) => { error: string },
      });
    for (const routes of GUARDED) routes(scope, service);
    await scope.register(async (inner) => PROTOCOL(inner, service));
  });
  return app;
}

const unauthorised = (): object => ({
  error: { code: 'ERR_FER_UNAUTHORIZED', message: 'expected "Authorization: Bearer" with the server\'s token' },
});

/** All bodies under way together, bytes. */
export const bodyMemory = (bodyLimit: number): number => BODIES * bodyLimit * MIB;
