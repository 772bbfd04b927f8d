/** Requests and answers of the Open Inference Protocol: JSON, and the tensors within it or as bytes behind it. */
import { isObject } from '../json.js';
import { RequestError } from './failure.js';
import type { Given } from './pictures.js';

interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  /** A list as JSON has it, or bytes. */
  data: unknown;
}

export interface Inference {
  id?: string;
  inputs: Tensor[];
  /** Names of the outputs that are asked for; undefined for all. Whether each is to come in binary. */
  outputs?: Map<string, boolean>;
  /** What the outputs are that say nothing. */
  binary: boolean;
}

export interface Output {
  name: string;
  datatype: 'FP32' | 'BYTES';
  shape: number[];
  data: Float32Array | string[];
}

const wrong = (reason: string): never => {
  throw new RequestError(400, 'ERR_FER_ARGUMENT', reason);
};

const parameters = (of: Record<string, unknown>): Record<string, unknown> => (isObject(of.parameters) ? of.parameters : {});

function headOf(body: Buffer, headerLength: string | string[] | undefined): { head: unknown; rest: Buffer } {
  const length = headerLength === undefined ? body.length : Number(headerLength);
  if (!Number.isInteger(length) || length < 0 || length > body.length)
    wrong(`Inference-Header-Content-Length: expected a whole number up to ${body.length}, got ${String(headerLength)}`);
  try {
    return { head: JSON.parse(body.toString('utf8', 0, length)), rest: body.subarray(length) };
  } catch {
    return wrong('expected JSON, and tensors in binary only behind it, with Inference-Header-Content-Length');
  }
}

/** @throws {RequestError} 400 */
export function readInference(body: Buffer | undefined, headerLength: string | string[] | undefined): Inference {
  const { head, rest } = headOf(body ?? Buffer.alloc(0), headerLength);
  if (!isObject(head) || !Array.isArray(head.inputs)) return wrong('expected an object with "inputs"');
  let at = 0;
  const inputs = head.inputs.map((input: unknown, i): Tensor => {
    if (!isObject(input)) return wrong(`inputs[${i}]: expected an object`);
    const { name, datatype, shape, data } = input;
    if (typeof name !== 'string' || typeof datatype !== 'string') return wrong(`inputs[${i}]: expected a name and a datatype`);
    if (!Array.isArray(shape) || !shape.every((side) => Number.isSafeInteger(side) && side >= 0))
      return wrong(`inputs[${i}].shape: expected whole numbers`);
    const size = parameters(input).binary_data_size;
    if (size === undefined) return { name, datatype, shape, data };
    if (!Number.isInteger(size) || (size as number) < 0 || at + (size as number) > rest.length)
      return wrong(`inputs[${i}]: expected ${String(size)} bytes behind the JSON, got ${rest.length - at}`);
    return { name, datatype, shape, data: rest.subarray(at, (at += size as number)) };
  });
  if (at !== rest.length) wrong(`${rest.length - at} bytes behind the JSON belong to no input`);
  const outputs = Array.isArray(head.outputs)
    ? new Map(head.outputs.filter(isObject).map((output) => [String(output.name), parameters(output).binary_data === true] as const))
    : undefined;
  return { ...(typeof head.id === 'string' ? { id: head.id } : {}), inputs, outputs, binary: parameters(head).binary_data_output === true };
}

/** The one input's pictures. @throws {RequestError} 400, 413, 422 */
export function picturesOf({ inputs }: Inference, size: number, most: number): Given[] {
  if (inputs.length !== 1) return wrong(`expected one input, "pixels" or "image", got ${inputs.length}`);
  const [{ name, datatype, shape, data }] = inputs;
  const [count = 0] = shape;
  if (count > most) throw new RequestError(413, 'ERR_FER_ARGUMENT', `expected at most ${most} pictures in a request, got ${count}`);
  if (count === 0) return wrong('expected at least one picture');
  if (name === 'image') {
    if (datatype !== 'BYTES') return wrong(`image: expected BYTES, got ${datatype}`);
    const texts = bytesOf(data);
    if (texts.length !== count) return wrong(`image: expected ${count} elements, got ${texts.length}`);
    return texts.map((bytes, i) => ({ name: `image[${i}]`, content: bytes }));
  }
  if (name !== 'pixels') return wrong(`expected an input "pixels" or "image", got ${JSON.stringify(name.slice(0, 80))}`);
  const form = shape.slice(1).filter((side) => side !== 1);
  if (form.length !== 2 || form[0] !== size || form[1] !== size)
    return wrong(`pixels: expected [n, ${size}, ${size}], got [${shape.join(', ')}]`);
  const values = pixelValues(datatype, data);
  const each = size * size;
  if (values.length !== count * each) return wrong(`pixels: expected ${count * each} values, got ${values.length}`);
  return Array.from({ length: count }, (_, i) => ({
    name: `pixels[${i}]`,
    content: { pixels: values.slice(i * each, (i + 1) * each), width: size, height: size },
  }));
}

function pixelValues(datatype: string, data: unknown): Uint8Array | Float32Array | number[] {
  if (datatype !== 'UINT8' && datatype !== 'FP32') return wrong(`pixels: expected UINT8 or FP32, got ${datatype}`);
  if (Array.isArray(data)) {
    const flat = data.flat(3) as unknown[];
    return flat.every((value) => typeof value === 'number') ? flat : wrong('pixels: expected numbers of 0 to 255');
  }
  if (!(data instanceof Uint8Array)) return wrong('pixels: expected data');
  if (datatype === 'UINT8') return data;
  if (data.length % 4 !== 0) return wrong('pixels: expected 4 bytes a value');
  return new Float32Array(Uint8Array.from(data).buffer); // little-endian, as all machines that this runs on
}

/** Elements of BYTES: in JSON base64, in binary each behind its length. */
function bytesOf(data: unknown): Uint8Array[] {
  if (Array.isArray(data))
    return data.flat().map((each: unknown) => (typeof each === 'string' ? Buffer.from(each, 'base64') : wrong('image: expected base64')));
  if (!(data instanceof Uint8Array)) return wrong('image: expected data');
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : Infinity;
    if (at + 4 + length > bytes.length) return wrong('image: an element is longer than what is there');
    elements.push(bytes.subarray(at + 4, (at += 4 + length)));
  }
  return elements;
}

/** The answer: JSON, and the outputs that were asked for in binary behind it; then `headerLength` is that of the JSON. */
export function writeInference(
  { id, outputs: asked, binary }: Inference,
  about: Record<string, string>,
  outputs: readonly Output[],
): { body: Buffer; headerLength?: number } {
  for (const name of asked?.keys() ?? [])
    if (!outputs.some((output) => output.name === name))
      wrong(`expected outputs ${outputs.map((output) => output.name).join(', ')}, got ${JSON.stringify(name.slice(0, 80))}`);
  const tail: Buffer[] = [];
  const written = outputs
    .filter(({ name }) => asked === undefined || asked.has(name))
    .map(({ data, ...output }) => {
      if (!(asked?.get(output.name) ?? binary)) return { ...output, data: [...data] };
      const bytes = data instanceof Float32Array ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : lengthBefore(data);
      tail.push(bytes);
      return { ...output, parameters: { binary_data_size: bytes.length } };
    });
  const head = Buffer.from(JSON.stringify({ ...about, ...(id === undefined ? {} : { id }), outputs: written }));
  return tail.length === 0 ? { body: head } : { body: Buffer.concat([head, ...tail]), headerLength: head.length };
}

const lengthBefore = (texts: readonly string[]): Buffer =>
  Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
