/** Answers without the server: what a thread of the page is asked, and how it gets what it needs. */
import { bytes, Failed, type Answers, type Explanation, type Face, type Kind, type Model } from './api.js';
import type { GraphFile } from '../../faces/graph.js';
import type { Answer, NewModel, Setup, Task } from './local-worker.js';
import { LOCAL_EFFECTS, type Settings } from './perturb.js';

const RUNTIME = { script: '/page/onnxruntime/ort.mjs', wasm: '/page/onnxruntime/ort.wasm' };

/** The finder's files, or nothing where this server has none. */
async function finderFiles(): Promise<Setup['finder']> {
  try {
    const [graph, weights] = await Promise.all([bytes('/page/faces/graph.json'), bytes('/page/faces/weights.bin')]);
    return { graph: JSON.parse(new TextDecoder().decode(graph)) as GraphFile, weights };
  } catch (error) {
    if (error instanceof Failed && error.status === 501) return undefined;
    throw error;
  }
}

/**
 * Fetches all that is needed, once; after that the server is not asked again.
 * @throws {Failed} 501 where the server has no onnxruntime-web: its message says what to install
 */
export async function localAnswers(models: readonly Model[], kinds: readonly Kind[]): Promise<Answers> {
  const [finder] = await Promise.all([finderFiles(), bytes(RUNTIME.script)]);
  const worker = new Worker(new URL('./local-worker.js', import.meta.url), { type: 'module' });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ('problem' in data) asked?.reject(new Error(data.problem));
    else asked?.resolve(data.value);
  });
  worker.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(`the page's thread ended: ${message}`));
  });
  const ask = <T>(task: Task, transfer: Transferable[] = []): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.set(++last, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ id: last, ...task }, transfer);
    });

  try {
    await ask({ kind: 'setup', given: { runtime: RUNTIME, finder } });
    for (const { name, classes, inputSize } of models) {
      const given: NewModel = { name, classes, inputSize, onnx: await bytes(`/v1/models/${encodeURIComponent(name)}/onnx`) };
      await ask({ kind: 'model', given }, [given.onnx]);
    }
  } catch (error) {
    worker.terminate();
    throw error;
  }
  /** With the defaults of what no slider sets. */
  const complete = (settings: object): Settings => {
    const { type } = settings as Settings;
    const { parameters } = kinds.find((kind) => kind.type === type)!;
    const defaults = Object.entries(parameters).filter(([, parameter]) => parameter.default !== undefined);
    return { ...Object.fromEntries(defaults.map(([name, parameter]) => [name, parameter.default!])), ...settings } as Settings;
  };
  return {
    can: { explain: false, perturb: (type) => LOCAL_EFFECTS.includes(type) },
    faces: (picture, { name }) => ask<{ faces: Face[]; found: boolean }>({ kind: 'faces', given: { picture, model: name } }),
    explain: (seen, { name }, perturbations) =>
      ask<Explanation>({ kind: 'explain', given: { seen, model: name, perturbations: perturbations.map(complete) } }),
    close: () => worker.terminate(),
  };
}
