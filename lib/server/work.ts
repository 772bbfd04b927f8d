/** The options of routes that do work: they take a place in the queue, and check what comes in themselves. */
import type { RouteShorthandOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes a place in the queue. */
    work?: boolean;
  }
}

// What fastify would say of a body by its schema is less than what question.ts says.
export const WORK: RouteShorthandOptions = { config: { work: true }, validatorCompiler: () => () => true };
