import fastify from 'fastify';
import expressions from './plugin.mjs';

const app = fastify();
await app.register(expressions, { model: 'robust' });
console.log(await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }));
process.once('SIGTERM', () => app.close());
