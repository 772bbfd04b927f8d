// A server in a process of its own, for bench/serving.mjs: this package's, or onnxruntime-node behind the same framework, decoder and answer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fastify from 'fastify';
import sharp from 'sharp';
import { serve } from '../../dist/index.js';

const [contender, onnx] = process.argv.slice(2);
const SIZE = 48;
sharp.concurrency(1);
sharp.cache(false);

/** One picture a request, as tutorials have it: decode, normalise, run, softmax. */
async function peer() {
  const { InferenceSession, Tensor } = createRequire(new URL('../../build/serving-peer/', import.meta.url))('onnxruntime-node');
  const session = await InferenceSession.create(readFileSync(onnx), { intraOpNumThreads: 1 });
  const classes = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];
  const app = fastify({ bodyLimit: 10 << 20 });
  for (const type of [/^image\//, 'application/octet-stream'])
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (request, body, done) => done(null, body));
  app.post('/v1/predict', async (request) => {
    const pixels = request.headers['content-type'].startsWith('image/')
      ? await sharp(request.body)
          .rotate()
          .greyscale()
          .resize(SIZE, SIZE, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
          .toColourspace('b-w')
          .raw()
          .toBuffer()
      : request.body;
    // Whether the model takes grey values or -1..1 makes no difference to its speed.
    const input = Float32Array.from(pixels, (value) => value / 127.5 - 1);
    const outputs = await session.run({ [session.inputNames[0]]: new Tensor('float32', input, [1, 1, SIZE, SIZE]) });
    const logits = outputs[session.outputNames[0]].data;
    const most = Math.max(...logits);
    const shares = Array.from(logits, (value) => Math.exp(value - most));
    const sum = shares.reduce((a, b) => a + b);
    const index = logits.indexOf(most);
    const probabilities = Object.fromEntries(classes.map((name, i) => [name, shares[i] / sum]));
    return { model: 'narrow', predictions: [{ label: classes[index], index, probability: shares[index] / sum, probabilities }] };
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

const url = contender === 'fer-cudnn' ? (await serve({ port: 0, models: ['narrow'] })).url : await peer();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('message', () => {
  const ms = (nanoseconds) => Number((nanoseconds / 1e6 - 1).toFixed(1)); // the timer's own period is no delay
  process.send({
    delay: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
    rss: Math.round(process.memoryUsage.rss() / 2 ** 20),
  });
  delay.reset();
});
process.send(url);
