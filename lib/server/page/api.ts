/** What the page asks, and the server as the one who answers. */

export interface Prediction {
  label: string;
  probability: number;
  probabilities: Record<string, number>;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Face {
  box: Box;
  prediction: Prediction;
  /** Grey bytes in base64. */
  seen: string;
}

export interface Curve {
  type: string;
  parameter: string;
  points: { value: number; accuracy: number }[];
}

export interface Model {
  name: string;
  classes: string[];
  inputSize: number;
  robustness?: { images: number; curves: Curve[] };
}

export interface Parameter {
  describe: string;
  unit?: string;
  range?: [number, number];
  whole?: boolean;
  default?: number | string;
}

export interface Kind {
  type: string;
  title: string;
  describe: string;
  main: string;
  parameters: Record<string, Parameter>;
  severities: Record<string, number>[];
}

export interface Explanation {
  class: string;
  prediction: Prediction;
  size: number;
  /** Absent where it cannot be made. */
  map?: number[];
  pixels: number[];
}

export class Failed extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let token = '';
export const useToken = (given: string): void => void (token = given);

async function request(path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  const authorization: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(path, { method: body === undefined ? 'GET' : 'POST', body, headers: { ...headers, ...authorization } });
  if (response.ok) return response;
  const { error } = (await response.json()) as { error?: { message: string } };
  throw new Failed(response.status, error?.message ?? response.statusText);
}

const ask = async <T>(path: string, body?: BodyInit, headers?: Record<string, string>): Promise<T> =>
  (await (await request(path, body, headers)).json()) as T;

/** @throws {Failed} */
export const bytes = async (path: string): Promise<ArrayBuffer> => (await request(path)).arrayBuffer();

export const models = async (): Promise<Model[]> => (await ask<{ models: Model[] }>('/v1/models')).models;
export const kinds = async (): Promise<Kind[]> => (await ask<{ perturbations: Kind[] }>('/v1/perturbations')).perturbations;

/** Who answers: the server, or the browser itself. */
export interface Answers {
  /** What can be asked beside faces and predictions. */
  can: { explain: boolean; perturb: (type: string) => boolean };
  /** The faces on a picture; the whole of it as one where faces cannot be found. */
  faces(picture: Blob, model: Model): Promise<{ faces: Face[]; found: boolean }>;
  /** What the network sees of a face after perturbations, what it says, and why. */
  explain(seen: string, model: Model, perturbations: readonly object[]): Promise<Explanation>;
  close(): void;
}

async function faces(picture: Blob, { name: model }: Model): Promise<{ faces: Face[]; found: boolean }> {
  const headers = { 'content-type': picture.type };
  try {
    const query = new URLSearchParams({ model, faces: 'true' });
    const { predictions } = await ask<{ predictions: { faces: Face[] }[] }>(`/v1/predict?${query}`, picture, headers);
    return { faces: predictions[0].faces, found: true };
  } catch (error) {
    if (!(error instanceof Failed && error.status === 501)) throw error;
  }
  const { prediction, pixels } = await ask<Explanation>(`/v1/explain?${new URLSearchParams({ model })}`, picture, headers);
  const whole = { left: 0, top: 0, width: 0, height: 0 };
  return { faces: [{ box: whole, prediction, seen: btoa(String.fromCharCode(...pixels)) }], found: false };
}

export const SERVER: Answers = {
  can: { explain: true, perturb: () => true },
  faces,
  explain(seen, { name: model, inputSize: size }, perturbations) {
    const body = JSON.stringify({ image: { pixels: seen, width: size, height: size }, model, perturbations });
    return ask<Explanation>('/v1/explain', body, { 'content-type': 'application/json' });
  },
  close: () => undefined,
};
