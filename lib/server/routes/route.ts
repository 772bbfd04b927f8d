/** A group of routes; `registry.ts` lists them. */
import type { FastifyInstance } from 'fastify';
import type { Service } from '../service.js';

export type Routes = (app: FastifyInstance, service: Service) => void;
