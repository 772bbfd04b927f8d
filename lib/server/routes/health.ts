/** For those who watch: is it alive, does it take requests, how does it fare. */
import type { Routes } from './route.js';

export const healthRoutes: Routes = (app, { ready, models, version }) => {
  const about = (summary: string): object => ({ schema: { tags: ['health'], summary } });
  app.get('/healthz', about('Whether the process lives'), () => ({ status: 'ok', version }));
  app.get('/readyz', about('Whether it takes requests: 503 once it closes'), (_, reply) =>
    ready() ? { status: 'ready', models: models.all.map(({ name }) => name) } : reply.code(503).send({ status: 'closing' }),
  );
  app.get('/v2/health/live', about('Whether the process lives, as the Open Inference Protocol asks'), () => ({ live: true }));
  app.get('/v2/health/ready', about('Whether it takes requests, as the Open Inference Protocol asks'), (_, reply) =>
    reply.code(ready() ? 200 : 503).send({ ready: ready() }),
  );
};

export const metricRoutes: Routes = (app, { metrics }) => {
  app.get('/metrics', { schema: { tags: ['health'], summary: 'For Prometheus' } }, async (_, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
};
