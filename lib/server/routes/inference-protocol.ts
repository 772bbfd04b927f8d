/**
 * The Open Inference Protocol (KServe's "V2"), with Triton's extension for tensors in binary: clients of either work unchanged.
 * A request has `pixels` [n, size, size], grey, 0..255, as UINT8 or FP32, or `image` [n], encoded pictures as BYTES.
 */
import type { FastifyRequest } from 'fastify';
import { predictionsOf } from '../../predict/prediction.js';
import { failureOf, RequestError } from '../failure.js';
import type { ServedModel } from '../models.js';
import { answerLimits } from '../service.js';
import { seenBy } from '../answers.js';
import { picturesOf, readInference, writeInference, type Output } from '../inference-protocol.js';
import { WORK } from '../work.js';
import type { Routes } from './route.js';

interface Path {
  model: string;
  version?: string;
}

const VERSION = '1';
const HEADER_LENGTH = 'inference-header-content-length';

export const inferenceProtocolRoutes: Routes = (app, service) => {
  const { models, ready, version, settings } = service;
  const named = ({ params }: FastifyRequest): ServedModel => {
    const { model, version: asked } = params as Path;
    if (asked !== undefined && asked !== VERSION)
      throw new RequestError(404, 'ERR_FER_MODEL_NOT_FOUND', `there is version ${VERSION} alone`);
    return models.named(model);
  };
  // Bodies are JSON with bytes after it, and clients do not say so.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => {
    const { status, message } = failureOf(error);
    if (status >= 500) request.log.error(error);
    return reply.code(status).send({ error: message });
  });
  const about = (summary: string): object => ({ schema: { tags: ['Open Inference Protocol'], summary } });
  app.get('/v2', about('The server'), () => ({ name: 'fer-cudnn', version, extensions: ['binary_tensor_data'] }));

  for (const at of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(at, about('Inputs and outputs of a model'), (request) => metadata(named(request)));
    app.get(`${at}/ready`, about('Whether a model takes requests'), (request, reply) => {
      const { name } = named(request);
      return reply.code(ready() ? 200 : 503).send({ name, ready: ready() });
    });
    app.post(`${at}/infer`, { ...WORK, ...about('Logits, probabilities and labels of pictures') }, async (request, reply) => {
      const model = named(request);
      const { network, batcher } = model;
      const inference = readInference(request.body as Buffer, request.headers[HEADER_LENGTH]);
      const pictures = picturesOf(inference, network.inputSize, settings.maxImages);
      const rows = await Promise.all(
        pictures.map(async (given) => batcher.logits((await seenBy(model, given, {}, answerLimits(service))).pixels)),
      );
      const { classes } = network;
      const logits = Float32Array.from(
        { length: rows.length * classes.length },
        (_, i) => rows[Math.floor(i / classes.length)][i % classes.length],
      );
      const predictions = predictionsOf(logits, classes);
      const outputs: Output[] = [
        {
          name: 'probabilities',
          datatype: 'FP32',
          shape: [rows.length, classes.length],
          data: Float32Array.from(predictions.flatMap((each) => classes.map((name) => each.probabilities[name]))),
        },
        { name: 'logits', datatype: 'FP32', shape: [rows.length, classes.length], data: logits },
        { name: 'label', datatype: 'BYTES', shape: [rows.length], data: predictions.map(({ label }) => label) },
      ];
      const { body, headerLength } = writeInference(inference, { model_name: model.name, model_version: VERSION }, outputs);
      if (headerLength === undefined) return reply.type('application/json').send(body);
      return reply.header(HEADER_LENGTH, headerLength).type('application/octet-stream').send(body);
    });
  }
};

function metadata({ name, network: { inputSize: size, classes } }: ServedModel): object {
  return {
    name,
    versions: [VERSION],
    platform: 'fer-cudnn',
    inputs: [
      { name: 'pixels', datatype: 'UINT8', shape: [-1, size, size] },
      { name: 'image', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, classes.length] },
      { name: 'logits', datatype: 'FP32', shape: [-1, classes.length] },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
    ],
  };
}
