/** What the server answers is what the library answers; who may ask, and how it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import { perturb } from '../../lib/perturb/index.js';
import type { RunningServer } from '../../lib/server/serve.js';
import sharp from 'sharp';
import { encoded, face, form, post, postJson, SIZE, started } from './serving.js';

let server: RunningServer;
let model: MiniXception;
const at = (path: string): string => `${server.url}${path}`;

beforeAll(async () => {
  [server, model] = await Promise.all([started(), MiniXception.pretrained('narrow')]);
});
afterAll(async () => {
  await server.close();
  model.dispose();
});

describe('/v1/predict', () => {
  it('answers as model.predict does, whatever a picture comes in', async () => {
    const png = await encoded(3);
    const expected = [await model.predict(png)];
    const type = { 'content-type': 'image/png' };
    const answers = [
      await post(at('/v1/predict'), form([png])),
      await post(at('/v1/predict'), png, type),
      await post(at('/v1/predict'), face(3), { 'content-type': 'application/octet-stream' }),
      await postJson(at('/v1/predict'), { image: png.toString('base64') }),
      await postJson(at('/v1/predict'), { image: `data:image/png;base64,${png.toString('base64')}` }),
      await postJson(at('/v1/predict'), { images: [{ pixels: [...face(3)], width: SIZE, height: SIZE }] }),
    ];
    for (const { status, json } of answers) {
      expect(status).toBe(200);
      expect(json).toEqual({ model: 'narrow', predictions: expected });
    }
  });

  it('takes a box, the mirror image, another model and perturbations', async () => {
    const jpeg = await encoded(5, 'jpeg', 200);
    const box = { left: 20, top: 30, width: 150, height: 140 };
    const boxed = await post(at('/v1/predict?flip=true&box=20,30,150,140'), jpeg, { 'content-type': 'image/jpeg' });
    expect(boxed.json.predictions).toEqual([await model.predict(jpeg, { box, flip: true })]);
    const inJson = await postJson(at('/v1/predict'), { image: { data: jpeg.toString('base64'), box }, flip: true });
    expect(inJson.json).toEqual(boxed.json);

    using robust = await MiniXception.pretrained('robust');
    const other = await post(at('/v1/predict'), form([jpeg], { model: 'robust' }));
    expect(other.json).toEqual({ model: 'robust', predictions: [await robust.predict(jpeg)] });

    const pixels = { pixels: face(5), width: SIZE, height: SIZE };
    const perturbations = [{ type: 'rotation', degrees: 15 } as const, { type: 'noise', sigma: 20 } as const];
    const turned = await post(at('/v1/predict'), form([await encoded(5)], { perturbations: JSON.stringify(perturbations), seed: '7' }));
    expect(turned.json.predictions).toEqual([await model.predict(await perturb(pixels, perturbations, { seed: 7 }))]);
  });

  it('answers for the others where one of many is no picture, and notes one without a face', async () => {
    const good = await encoded(1);
    const { status, json } = await post(at('/v1/predict'), form([good, Buffer.from('no picture'), await sharp(Buffer.alloc(SIZE * SIZE, 9), { raw: { width: SIZE, height: SIZE, channels: 1 } }).png().toBuffer()])); // prettier-ignore
    expect(status).toBe(200);
    expect(json.predictions[0]).toEqual(await model.predict(good));
    expect(json.predictions[1].error).toMatchObject({ code: 'ERR_FER_IMAGE_FORMAT' });
    expect(json.predictions[2].note).toMatch(/all pixels are equal/);
  });

  it('answers many at once as each alone, in batches', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => i);
    const answers = await Promise.all(
      rows.map((row) => post(at('/v1/predict'), face(row), { 'content-type': 'application/octet-stream' })),
    );
    const expected = await model.predict(rows.map((row) => ({ pixels: face(row), width: SIZE, height: SIZE })));
    expect(answers.map(({ json }) => json.predictions[0])).toEqual(expected);
    const metrics = await (await fetch(at('/metrics'))).text();
    const sum = (name: string): number => Number(new RegExp(`^${name}{model="narrow"} (\\d+)`, 'm').exec(metrics)?.[1]);
    expect(sum('fer_batch_images_count')).toBeLessThan(sum('fer_batch_images_sum'));
  });
});

describe('/v1/explain and /v1/perturb', () => {
  it('explain gives the map, or a picture of it', async () => {
    const png = await encoded(3);
    const expected = await model.explain(png, { class: 'fear' });
    const { json } = await post(at('/v1/explain'), form([png], { class: 'fear' }));
    expect(json).toMatchObject({
      class: 'fear',
      layer: expected.layer,
      prediction: expected.prediction,
      size: SIZE,
      scale: expected.scale,
    });
    expect(Float32Array.from(json.map)).toEqual(expected.map);
    expect(json.pixels).toEqual([...face(3)]);
    const drawn = await fetch(at('/v1/explain?size=64'), { method: 'POST', body: form([png]), headers: { accept: 'image/png' } });
    expect(await sharp(Buffer.from(await drawn.arrayBuffer())).metadata()).toMatchObject({ format: 'png', width: 64 });
  });

  it('perturb gives the picture that the library gives', async () => {
    const spec = { type: 'brightness', factor: 1.8 } as const;
    const response = await fetch(at('/v1/perturb'), {
      method: 'POST',
      body: form([await encoded(3)], { perturbations: JSON.stringify([spec]) }),
    });
    expect(response.headers.get('content-type')).toBe('image/png');
    const pixels = await sharp(Buffer.from(await response.arrayBuffer()))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    const expected = await perturb({ pixels: face(3), width: SIZE, height: SIZE }, spec);
    expect(Buffer.compare(pixels, expected.pixels)).toBe(0);
  });
});

describe('about itself', () => {
  it('lists its models with what was measured of them', async () => {
    const { models } = (await (await fetch(at('/v1/models'))).json()) as { models: { name: string; robustness: { curves: unknown[] } }[] };
    expect(models.map(({ name }) => name)).toEqual(['narrow', 'robust']);
    expect(models[0].robustness.curves).toHaveLength(13);
  });

  it('has an OpenAPI document with every route, and its page', async () => {
    const document = (await (await fetch(at('/docs/json'))).json()) as { openapi: string; paths: Record<string, any> }; // eslint-disable-line @typescript-eslint/no-explicit-any
    expect(document.openapi).toMatch(/^3\./);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/v1/predict',
        '/v1/explain',
        '/v1/perturb',
        '/v1/models',
        '/healthz',
        '/readyz',
        '/metrics',
        '/v2',
        '/v2/models/{model}/infer',
      ]),
    );
    expect(Object.keys(document.paths['/v1/predict'].post.requestBody.content)).toEqual(
      expect.arrayContaining(['multipart/form-data', 'application/json', 'image/jpeg', 'application/octet-stream']),
    );
    expect((await fetch(at('/docs/'))).status).toBe(200);
  });
});

describe('who may ask', () => {
  it('needs the token where there is one, but for health', async () => {
    await using guarded = await started({ token: 'a-secret-token' });
    const ask = (headers: Record<string, string>): ReturnType<typeof post> => post(`${guarded.url}/v1/predict`, form([face(0)]), headers);
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: 'Bearer another-token' })).status).toBe(401);
    expect((await ask({ authorization: 'Bearer a-secret-token' })).status).toBe(422);
    for (const path of ['/metrics', '/v1/models', '/v2/models/narrow']) expect((await fetch(guarded.url + path)).status).toBe(401);
    for (const path of ['/healthz', '/readyz', '/v2/health/live']) expect((await fetch(guarded.url + path)).status).toBe(200);
  });

  it('lets pages of other origins ask only where they are named', async () => {
    const headers = { origin: 'https://example.org' };
    expect((await fetch(at('/healthz'), { headers })).headers.get('access-control-allow-origin')).toBeNull();
    await using open = await started({ corsOrigins: ['https://example.org'] });
    expect((await fetch(`${open.url}/healthz`, { headers })).headers.get('access-control-allow-origin')).toBe('https://example.org');
  });

  it('refuses options that mean nothing', async () => {
    await expect(started({ queue: 0 })).rejects.toThrow('expected a whole number from 1 to 100000, got 0, for queue');
    await expect(started({ token: 'short' })).rejects.toThrow(/at least 8/);
    await expect(started({ corsOrigins: ['*'] })).rejects.toThrow(/origins such as/);
    await expect(started({ models: ['narrow', 'narrow'] })).rejects.toThrow(/different names/);
    await expect(started({ port: server.port })).rejects.toThrow(/another program listens there; choose another with --port/);
  });
});

describe('under load', () => {
  it('sends away what is too much, with Retry-After, and stays in touch', async () => {
    await using small = await started({ queue: 4 });
    const picture = await encoded(0, 'jpeg', 1500);
    const ask = (): ReturnType<typeof post> => post(`${small.url}/v1/predict`, picture, { 'content-type': 'image/jpeg' });
    const answers = await Promise.all(Array.from({ length: 40 }, ask));
    const counts = new Map<number, number>();
    for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([200, 503]);
    expect(counts.get(200)! + counts.get(503)!).toBe(40);
    const refused = answers.find(({ status }) => status === 503)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused.json.error.code).toBe('ERR_FER_BUSY');
    expect(await (await fetch(`${small.url}/metrics`)).text()).toContain(`fer_requests_refused_total ${counts.get(503)}`);
    expect((await ask()).status).toBe(200);
  });

  it('answers what it took before it closes, and frees its port', async () => {
    const closing = await started();
    const picture = await encoded(0, 'jpeg', 1500);
    const asked = Array.from({ length: 8 }, () => post(`${closing.url}/v1/predict`, picture, { 'content-type': 'image/jpeg' }));
    for (;;) {
      const metrics = await (await fetch(`${closing.url}/metrics`)).text();
      if (metrics.includes('fer_requests_under_way 8')) break;
      if (metrics.includes('status="200",route="/v1/predict"')) break;
    }
    await closing.close();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(new Array(8).fill(200));
    await expect(fetch(`${closing.url}/healthz`)).rejects.toThrow();
  });
});
