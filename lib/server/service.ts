/** What the routes of one server share. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FaceFinder } from '../faces/finder.js';
import type { Gate } from './gate.js';
import type { Metrics } from './metrics.js';
import type { ServedModels } from './models.js';
import type { Settings } from './options.js';
import { askedIn, type Asked } from './pictures.js';

export interface Service {
  settings: Settings;
  models: ServedModels;
  gate: Gate;
  metrics: Metrics;
  /** Whether it takes requests; false once it closes. */
  ready: () => boolean;
  version: string;
  /** Made when it is first needed. @throws {FerError} ERR_FER_PACKAGE_MISSING */
  finder: () => FaceFinder;
}

export const MIB = 2 ** 20;

export const answerLimits = ({ settings }: Service): { pixels: number } => ({ pixels: settings.pixelLimit * 1e6 });

export const asked = ({ settings, models }: Service, request: FastifyRequest): Promise<Asked> =>
  askedIn(request, {
    bytes: settings.bodyLimit * MIB,
    images: settings.maxImages,
    sizeOf: (name) => models.named(name).network.inputSize,
  });

/** The kind of answer that the client would rather have. */
export const wants = (request: FastifyRequest, type: string): boolean => (request.headers.accept ?? '').includes(type);

/** Bytes as they are. */
export const send = (reply: FastifyReply, type: string, bytes: Uint8Array): FastifyReply =>
  reply.type(type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
