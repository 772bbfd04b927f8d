/** `POST /v1/explain`: what on a picture speaks for a class, in numbers or drawn. */
import { drawn, explainOne } from '../answers.js';
import { answerLimits, asked, send, wants } from '../service.js';
import { onlyOne } from '../pictures.js';
import { documented, EXPLAIN_ANSWER } from '../schemas.js';
import { WORK } from '../work.js';
import type { Routes } from './route.js';

export const explainRoutes: Routes = (app, service) => {
  const schema = documented('explain', 'Show what on a face speaks for its expression', EXPLAIN_ANSWER);
  app.post('/v1/explain', { ...WORK, schema }, async (request, reply) => {
    const { pictures, question } = await asked(service, request);
    const model = service.models.named(question.model);
    const { explanation, pixels } = await explainOne(model, onlyOne(pictures), question, answerLimits(service));
    if (wants(request, 'image/png')) return send(reply, 'image/png', await drawn(explanation, question));
    const { method, layer, prediction, size, scale, map } = explanation;
    return { model: model.name, method, class: explanation.class, layer, prediction, size, scale, map: [...map], pixels: [...pixels] };
  });
};
