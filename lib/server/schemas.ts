/** The routes' JSON as the OpenAPI document has it. What comes in is checked by `question.ts` and `pictures.ts`, which say more. */

type JsonSchema = Readonly<Record<string, unknown>>;

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({ type: 'string', description, ...more });
const BOX: JsonSchema = {
  type: 'object',
  description: "The face's place in the picture, pixels.",
  properties: Object.fromEntries(['left', 'top', 'width', 'height'].map((name) => [name, { type: 'integer' }])),
};

const NUMBER: JsonSchema = { type: 'number' };
/** A finder's own: in fractions of pixels, perhaps beyond the picture. */
const BOX_FOUND: JsonSchema = { type: 'object', properties: { left: NUMBER, top: NUMBER, width: NUMBER, height: NUMBER } };
const EYES: JsonSchema = { type: 'array', items: { type: 'object', properties: { x: NUMBER, y: NUMBER } } };

const MODEL = text('A model of /v1/models. Default: the first.');
const FLIP: JsonSchema = { type: 'boolean', description: 'Average the logits of the picture and its mirror image.' };
const SEED: JsonSchema = { type: 'integer', minimum: 0, description: 'Of what perturbations draw. Default 0.' };
const PERTURBATIONS: JsonSchema = {
  type: 'array',
  items: { type: 'object', properties: { type: { type: 'string' } }, additionalProperties: true },
  description: 'One after another, such as [{"type":"rotation","degrees":15},{"type":"brightness","factor":1.3}]: docs/perturbations.md.',
};
const FACES: JsonSchema = { type: 'boolean', description: 'Find the faces in each picture, and answer for each.' };
const METHOD = text('How to explain.', { enum: ['grad-cam', 'guided-backprop', 'guided-grad-cam'] });
const CLASS = text('The class to explain. Default: the predicted one.');
const LAYER = text('Where Grad-CAM looks.');

const FIELDS: Record<'predict' | 'explain' | 'perturb', Record<string, JsonSchema>> = {
  predict: { model: MODEL, box: BOX, flip: FLIP, faces: FACES, perturbations: PERTURBATIONS, seed: SEED },
  explain: {
    ...{ model: MODEL, box: BOX, method: METHOD, class: CLASS, layer: LAYER, perturbations: PERTURBATIONS, seed: SEED },
    size: { type: 'integer', description: 'Longer side of the drawn picture, pixels. Default 480.' },
  },
  perturb: {
    ...{ box: BOX, perturbations: PERTURBATIONS, seed: SEED },
    size: { type: 'integer', description: 'Stretch to a square of this side first. Default: as it is.' },
  },
};

const IMAGE: JsonSchema = {
  anyOf: [
    text('A JPEG, PNG, WebP, GIF, AVIF or TIFF picture in base64, or a data: URL of one.'),
    { type: 'object', properties: { data: text('The same.'), box: BOX } },
    {
      type: 'object',
      description: 'Grey values of 0 to 255, row after row: a list, or bytes in base64.',
      properties: { pixels: {}, width: { type: 'integer' }, height: { type: 'integer' } },
    },
  ],
};

const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/tiff'];

/** What may be sent to a route, for the document. */
export function requestBody(kind: keyof typeof FIELDS): JsonSchema {
  const fields = FIELDS[kind];
  const bytes = { schema: { type: 'string', format: 'binary' } };
  return {
    required: true,
    content: {
      'multipart/form-data': { schema: { type: 'object', properties: { image: { type: 'string', format: 'binary' }, ...fields } } },
      'application/json': {
        schema: { type: 'object', properties: { image: IMAGE, images: { type: 'array', items: IMAGE }, ...fields } },
      },
      ...Object.fromEntries(PICTURE_TYPES.map((type) => [type, bytes])),
      'application/octet-stream': bytes,
    },
  };
}

const PROBABILITIES: JsonSchema = { type: 'object', additionalProperties: { type: 'number' } };
const ERROR: JsonSchema = { type: 'object', properties: { code: { type: 'string' }, message: { type: 'string' } } };
const PREDICTION: Record<string, JsonSchema> = {
  label: text('The likeliest class.'),
  index: { type: 'integer' },
  probability: { type: 'number' },
  probabilities: PROBABILITIES,
};
const NUMBERS: JsonSchema = { type: 'array', items: { type: 'number' } };

export const PREDICT_ANSWER: JsonSchema = {
  description: 'One answer a picture, in their order.',
  type: 'object',
  properties: {
    model: { type: 'string' },
    predictions: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          ...PREDICTION,
          note: text('A remark on the picture.'),
          error: { ...ERROR, description: 'Instead of an answer, where this one of several pictures could not be read.' },
          faces: {
            type: 'array',
            description: 'With faces: one entry a face, the surest first; empty where there is none.',
            items: {
              type: 'object',
              properties: {
                box: BOX_FOUND,
                confidence: { type: 'number' },
                eyes: EYES,
                seen: text('What the network saw: grey bytes, row after row, in base64.'),
                prediction: { type: 'object', properties: PREDICTION },
              },
            },
          },
        },
      },
    },
  },
};

export const EXPLAIN_ANSWER: JsonSchema = {
  description: 'The map in numbers; with "Accept: image/png" the drawn picture.',
  type: 'object',
  properties: {
    model: { type: 'string' },
    method: { type: 'string' },
    class: { type: 'string' },
    layer: { type: 'string' },
    prediction: { type: 'object', properties: PREDICTION },
    size: { type: 'integer', description: 'Height and width of map.' },
    scale: { type: 'number', description: 'What map was divided by.' },
    map: { ...NUMBERS, description: 'Row after row. Grad-CAM: 0..1; the guided methods: -1..1.' },
    pixels: { ...NUMBERS, description: 'What the network saw, [size * size], 0..255.' },
  },
};

export const FAILED: JsonSchema = { description: 'What was wrong, and where.', type: 'object', properties: { error: ERROR } };

/** The document's form of a route. Fastify checks none of it. */
export const documented = (kind: 'predict' | 'explain' | 'perturb', summary: string, answer: JsonSchema): Record<string, unknown> => ({
  tags: ['faces'],
  summary,
  body: requestBody(kind),
  response: { 200: answer, '4xx': FAILED, 503: FAILED },
});
