/** `POST /v1/predict`: the expression on one picture or many. */
import { answerLimits, asked } from '../service.js';
import { predictAll } from '../answers.js';
import { RequestError } from '../failure.js';
import { documented, PREDICT_ANSWER } from '../schemas.js';
import { WORK } from '../work.js';
import type { Routes } from './route.js';

export const predictRoutes: Routes = (app, service) => {
  const schema = documented('predict', 'Recognise the expression on one picture or many', PREDICT_ANSWER);
  app.post('/v1/predict', { ...WORK, schema }, async (request) => {
    const question = await asked(service, request);
    const model = service.models.named(question.question.model);
    const answers = await predictAll(model, question, answerLimits(service), service.finder);
    const [first] = answers;
    // A picture alone has the request's status.
    if (answers.length === 1 && 'error' in first) throw new RequestError(first.error.status, first.error.code, first.error.message);
    return { model: model.name, predictions: answers };
  });
};
