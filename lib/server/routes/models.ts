/** `GET /v1/models`: which networks are there, and how to ask them; `GET /v1/perturbations`: what can be done to a picture. */
import { PERTURBATION_TYPES, definitionOf } from '../../perturb/registry.js';
import { widthName } from '../../network/width.js';
import { robustnessOf } from '../../pretrained.js';
import type { Routes } from './route.js';

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
  app.get('/v1/perturbations', { schema: { tags: ['about'], summary: 'The perturbations with their parameters' } }, () => ({
    perturbations: PERTURBATION_TYPES.map((type) => {
      const { title, describe, main, parameters, severities } = definitionOf(type);
      return { type, title, describe, main, parameters, severities };
    }),
  }));
};
