/** `GET /v1/models`: which networks are there, and how to ask them, `/v1/models/{model}/onnx`: one of them to run elsewhere; `GET /v1/perturbations`: what can be done to a picture. */
import { PERTURBATION_TYPES, definitionOf } from '../../perturb/registry.js';
import { widthName } from '../../network/width.js';
import { robustnessOf } from '../../pretrained.js';
import { send } from '../service.js';
import type { Routes } from './route.js';

/** Such as a browser can run by itself. */
const ONNX = { description: 'pixel_values [1, 1, size, size], 0..255, in; probabilities [1, classes] out.', content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } }; // prettier-ignore

export const modelRoutes: Routes = (app, { models }) => {
  app.get('/v1/models', { schema: { tags: ['about'], summary: 'The models, the default first' } }, async () => ({
    models: await Promise.all(
      models.all.map(async ({ name, network }) => ({
        name,
        classes: network.classes,
        inputSize: network.inputSize,
        width: widthName(network.width),
        parameters: network.parameterCount,
        device: network.deviceDescription,
        robustness: await robustnessOf(name),
      })),
    ),
  }));
  const asOnnx = { tags: ['about'], summary: 'A model as ONNX', response: { 200: ONNX } };
  app.get('/v1/models/:model/onnx', { schema: asOnnx }, async (request, reply) =>
    send(reply, 'application/octet-stream', await models.named((request.params as { model: string }).model).onnx()),
  );
  app.get('/v1/perturbations', { schema: { tags: ['about'], summary: 'The perturbations with their parameters' } }, () => ({
    perturbations: PERTURBATION_TYPES.map((type) => {
      const { title, describe, main, parameters, severities } = definitionOf(type);
      return { type, title, describe, main, parameters, severities };
    }),
  }));
};
