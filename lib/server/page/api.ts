/** What the page asks the server. */

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
  map: number[];
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

async function ask<T>(path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<T> {
  const authorization: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(path, { method: body === undefined ? 'GET' : 'POST', body, headers: { ...headers, ...authorization } });
  const answer = (await response.json()) as T & { error?: { message: string } };
  if (!response.ok) throw new Failed(response.status, answer.error?.message ?? response.statusText);
  return answer;
}

export const models = async (): Promise<Model[]> => (await ask<{ models: Model[] }>('/v1/models')).models;
export const kinds = async (): Promise<Kind[]> => (await ask<{ perturbations: Kind[] }>('/v1/perturbations')).perturbations;

/** The faces on a picture; the whole of it as one where this server cannot find faces. */
export async function faces(picture: Blob, model: string): Promise<{ faces: Face[]; found: boolean }> {
  const query = new URLSearchParams({ model, faces: 'true' });
  try {
    const { predictions } = await ask<{ predictions: { faces: Face[] }[] }>(`/v1/predict?${query}`, picture, {
      'content-type': picture.type,
    });
    return { faces: predictions[0].faces, found: true };
  } catch (error) {
    if (!(error instanceof Failed && error.status === 501)) throw error;
  }
  const { prediction, pixels } = await ask<Explanation>(`/v1/explain?${new URLSearchParams({ model })}`, picture, {
    'content-type': picture.type,
  });
  const whole = { left: 0, top: 0, width: 0, height: 0 };
  return { faces: [{ box: whole, prediction, seen: btoa(String.fromCharCode(...pixels)) }], found: false };
}

/** What the network sees of a face after perturbations, what it says, and why. */
export const explain = (seen: string, size: number, model: string, perturbations: object[]): Promise<Explanation> =>
  ask<Explanation>('/v1/explain', JSON.stringify({ image: { pixels: seen, width: size, height: size }, model, perturbations }), {
    'content-type': 'application/json',
  });
