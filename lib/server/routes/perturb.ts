/** `POST /v1/perturb`: a picture turned, lit otherwise or spoilt, as PNG. */
import { perturbOne } from '../answers.js';
import { onlyOne } from '../pictures.js';
import { documented } from '../schemas.js';
import { answerLimits, asked, send } from '../service.js';
import { WORK } from '../work.js';
import type { Routes } from './route.js';

const PNG = { description: 'The picture in grey.', content: { 'image/png': { schema: { type: 'string', format: 'binary' } } } };

export const perturbRoutes: Routes = (app, service) => {
  const schema = documented('perturb', 'Turn a face, light it otherwise or spoil it', PNG);
  app.post('/v1/perturb', { ...WORK, schema }, async (request, reply) => {
    const { pictures, question } = await asked(service, request);
    return send(reply, 'image/png', await perturbOne(onlyOne(pictures), question, answerLimits(service)));
  });
};
