/** The groups of routes: those that a token guards, and those that are open to all. */
import { explainRoutes } from './explain.js';
import { healthRoutes, metricRoutes } from './health.js';
import { inferenceProtocolRoutes } from './inference-protocol.js';
import { modelRoutes } from './models.js';
import { pageRoutes } from './page.js';
import { perturbRoutes } from './perturb.js';
import { predictRoutes } from './predict.js';
import type { Routes } from './route.js';

export const OPEN: readonly Routes[] = [healthRoutes, pageRoutes];
export const GUARDED: readonly Routes[] = [predictRoutes, explainRoutes, perturbRoutes, modelRoutes, metricRoutes];
/** Its bodies and errors have a form of their own. */
export const PROTOCOL = inferenceProtocolRoutes;
