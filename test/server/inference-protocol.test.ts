/** The Open Inference Protocol: JSON, and Triton's tensors in binary. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import type { RunningServer } from '../../lib/server/serve.js';
import { encoded, face, post, postJson, SIZE, started } from './serving.js';

let server: RunningServer;
let model: MiniXception;
let infer: string;

beforeAll(async () => {
  [server, model] = await Promise.all([started(), MiniXception.pretrained('narrow')]);
  infer = `${server.url}/v2/models/narrow/infer`;
});
afterAll(async () => {
  await server.close();
  model.dispose();
});

const pixels = (row: number): { pixels: Uint8Array; width: number; height: number } => ({ pixels: face(row), width: SIZE, height: SIZE });

it('answers tensors in JSON', async () => {
  const data = [...face(0), ...face(1)];
  const expected = await model.predict([pixels(0), pixels(1)]);
  for (const shape of [
    [2, SIZE, SIZE],
    [2, 1, SIZE, SIZE],
    [2, SIZE, SIZE, 1],
  ])
    for (const datatype of ['UINT8', 'FP32']) {
      const { status, json } = await postJson(infer, { id: '7', inputs: [{ name: 'pixels', datatype, shape, data }] });
      expect(status).toBe(200);
      expect(json).toMatchObject({ id: '7', model_name: 'narrow', model_version: '1' });
      const [probabilities, logits, label] = json.outputs;
      expect(label).toEqual({ name: 'label', datatype: 'BYTES', shape: [2], data: expected.map((each) => each.label) });
      expect(probabilities.data[3]).toBeCloseTo(expected[0].probabilities.happy, 6);
      expect(logits.shape).toEqual([2, 7]);
    }
});

it('answers tensors in binary, those that are asked for', async () => {
  const jpeg = await encoded(2, 'jpeg', 100);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(jpeg.length);
  const head = JSON.stringify({
    inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: jpeg.length + 4 } }],
    outputs: [{ name: 'probabilities', parameters: { binary_data: true } }, { name: 'label' }],
  });
  const response = await fetch(infer, {
    method: 'POST',
    body: Buffer.concat([Buffer.from(head), length, jpeg]),
    headers: { 'inference-header-content-length': String(Buffer.byteLength(head)) },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const at = Number(response.headers.get('inference-header-content-length'));
  const { outputs } = JSON.parse(bytes.toString('utf8', 0, at));
  const expected = await model.predict(jpeg);
  expect(outputs).toEqual([
    { name: 'probabilities', datatype: 'FP32', shape: [1, 7], parameters: { binary_data_size: 28 } },
    { name: 'label', datatype: 'BYTES', shape: [1], data: [expected.label] },
  ]);
  expect(bytes.length).toBe(at + 28);
  expect(bytes.readFloatLE(at + 4 * expected.index)).toBeCloseTo(expected.probability, 6);
});

it.each([
  ['{', 400, /expected JSON/],
  ['{}', 400, /"inputs"/],
  [JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [1, 3], data: [1, 2, 3] }] }), 400, /expected \[n, 48, 48\]/],
  [JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [1, 48, 48], data: [1] }] }), 400, /expected 2304 values/],
  [JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [9999, 48, 48], data: [1] }] }), 413, /at most 64/],
  [JSON.stringify({ inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: ['/etc/passwd'] }] }), 422, /expected a JPEG/],
  [
    JSON.stringify({ inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 5 } }] }),
    400,
    /5 bytes behind/,
  ],
])('says what is wrong: %s', async (body, status, message) => {
  const answer = await post(infer, body);
  expect(answer.status).toBe(status);
  expect(answer.json.error).toMatch(message);
});

it('tells of models, and of those that are not there', async () => {
  const metadata = await (await fetch(`${server.url}/v2/models/robust/versions/1`)).json();
  expect(metadata).toMatchObject({ name: 'robust', inputs: [{ name: 'pixels', shape: [-1, 48, 48] }, { name: 'image' }] });
  expect((await fetch(`${server.url}/v2/models/robust/ready`)).status).toBe(200);
  expect((await fetch(`${server.url}/v2/models/absent`)).status).toBe(404);
  expect((await fetch(`${server.url}/v2/models/narrow/versions/2`)).status).toBe(404);
});
