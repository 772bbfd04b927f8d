/**
 * The pictures that a request brings: a form with files, one encoded picture, raw grey pixels, or JSON with base64. Bytes alone: a path
 * or a URL in a request is never opened.
 */
import type { FastifyRequest } from 'fastify';
import type { Box, Pixels } from '../data/image.js';
import { isObject } from '../json.js';
import { read } from '../schema.js';
import { RequestError } from './failure.js';
import { box, questionOf, type Question } from './question.js';

/** One picture as it came. */
export interface Given {
  /** The file's name in a form, otherwise its number: for messages alone. */
  name: string;
  content: Uint8Array | Pixels;
  box?: Box;
}

export interface Asked {
  pictures: Given[];
  question: Question;
}

const wrong = (reason: string): never => {
  throw new RequestError(400, 'ERR_FER_ARGUMENT', reason);
};

/** The bytes of a base64 text, or of a data: URL that holds one. */
function fromBase64(name: string, given: string): Uint8Array {
  const at = given.startsWith('data:') ? given.indexOf(';base64,', 0) : -8;
  const text = at === -1 ? '' : given.slice(at + 8);
  const bytes = Buffer.from(text, 'base64');
  // Node passes over what is no base64: a path or a URL would give a few bytes.
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text === '' || bytes.length !== Math.floor(((text.length - padding) * 3) / 4))
    wrong(`${name}: expected a picture in base64, got ${JSON.stringify(given.slice(0, 60))}; paths and URLs are not opened here`);
  return bytes;
}

function pixelsOf(name: string, { pixels, width, height }: Record<string, unknown>): Pixels {
  const values = typeof pixels === 'string' ? fromBase64(name, pixels) : pixels;
  if (!(values instanceof Uint8Array) && !(Array.isArray(values) && values.every((value) => typeof value === 'number')))
    return wrong(`${name}.pixels: expected grey values of 0 to 255, as a list or in base64`);
  return { pixels: values as ArrayLike<number>, width: Number(width), height: Number(height) };
}

function fromJson(name: string, given: unknown): Given {
  if (typeof given === 'string') return { name, content: fromBase64(name, given) };
  if (!isObject(given)) return wrong(`${name}: expected base64, {"data": base64} or {"pixels", "width", "height"}`);
  const place = given.box === undefined ? {} : { box: read(box, given.box, `${name}.box`, wrong) };
  if (given.pixels !== undefined) return { name, content: pixelsOf(name, given), ...place };
  if (typeof given.data !== 'string') return wrong(`${name}: expected "data" with a picture in base64, or "pixels", "width" and "height"`);
  return { name, content: fromBase64(name, given.data), ...place };
}

function askedInJson(body: unknown, query: Record<string, unknown>): Asked {
  if (!isObject(body)) return wrong('expected an object with "image" or "images"');
  const { image, images, ...fields } = body;
  if ((image === undefined) === (images === undefined)) wrong('expected either "image" or "images"');
  if (images !== undefined && !Array.isArray(images)) wrong('images: expected a list');
  const question = questionOf(query, fields);
  if (images === undefined) return { pictures: [fromJson('image', image)], question };
  return { pictures: (images as unknown[]).map((each, i) => fromJson(`images[${i}]`, each)), question };
}

async function askedInForm(request: FastifyRequest, query: Record<string, unknown>, limits: { bytes: number }): Promise<Asked> {
  const pictures: Given[] = [];
  const fields: Record<string, unknown> = {};
  let left = limits.bytes;
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') {
        const content = await part.toBuffer();
        left -= content.length;
        if (left < 0) throw new RequestError(413, 'FST_ERR_CTP_BODY_TOO_LARGE', 'Request body is too large');
        const name = part.filename || `${part.fieldname}[${pictures.length}]`;
        pictures.push({ name: name.slice(0, 200), content });
      } else fields[part.fieldname] = part.value;
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== undefined) throw error;
    wrong(`the form cannot be read: ${(error as Error).message}`);
  }
  return { pictures, question: questionOf(query, fields) };
}

/** Raw grey images of a network's size, one after another. */
function askedInBytes(body: Uint8Array, question: Question, size: number): Asked {
  const each = size * size;
  if (body.length === 0 || body.length % each !== 0)
    wrong(
      `expected grey images of ${size} x ${size} = ${each} bytes each, got ${body.length} bytes; an encoded picture is sent as image/jpeg, image/png, …`,
    );
  const pictures = Array.from(
    { length: body.length / each },
    (_, i): Given => ({
      name: `image[${i}]`,
      content: { pixels: body.subarray(i * each, (i + 1) * each), width: size, height: size },
    }),
  );
  return { pictures, question };
}

/**
 * What a request asks. `sizeOf` tells the input size of the model that it names.
 * @throws {RequestError} 400, 413, 422
 */
export async function askedIn(
  request: FastifyRequest,
  limits: { bytes: number; images: number; sizeOf: (model: string | undefined) => number },
): Promise<Asked> {
  const query = request.query as Record<string, unknown>;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
  let asked: Asked;
  if (request.isMultipart()) asked = await askedInForm(request, query, limits);
  else if (request.body instanceof Uint8Array) {
    const question = questionOf(query);
    asked =
      type === 'application/octet-stream'
        ? askedInBytes(request.body, question, limits.sizeOf(question.model))
        : { pictures: [{ name: 'image', content: request.body }], question };
  } else asked = askedInJson(request.body, query);
  const { length } = asked.pictures;
  if (length === 0) wrong('expected at least one picture');
  if (length > limits.images)
    throw new RequestError(413, 'ERR_FER_ARGUMENT', `expected at most ${limits.images} pictures in a request, got ${length}`);
  return asked;
}

/** @throws {RequestError} 400 where there are more */
export function onlyOne(pictures: readonly Given[]): Given {
  if (pictures.length > 1) wrong(`expected one picture, got ${pictures.length}`);
  return pictures[0];
}
