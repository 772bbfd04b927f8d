// app.register(expressions, { model: 'robust' }) gives app.expressions, and POST /predict.
import { MiniXception } from 'fer-cudnn';

export default async function expressions(app, { model = 'narrow' } = {}) {
  const network = await MiniXception.pretrained(model);
  app.decorate('expressions', network);
  app.addHook('onClose', async () => network.dispose());
  app.addContentTypeParser(/^image\//, { parseAs: 'buffer', bodyLimit: 10 << 20 }, async (request, body) => body);
  app.post('/predict', async (request) => network.predict(request.body));
  app.setErrorHandler((error, request, reply) => {
    reply.code(error.name === 'FerError' ? 422 : (error.statusCode ?? 500)).send({ error: error.message, code: error.code });
  });
}

// Seen from where it is registered, not only inside.
expressions[Symbol.for('skip-override')] = true;
