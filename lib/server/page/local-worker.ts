/** The thread of the page that answers without the server: it finds faces, spoils them, and runs the network, an ONNX model. */
import { luma } from '../../data/grey.js';
import type { ColourPicture } from '../../data/image.js';
import { stretched } from '../../data/stretch.js';
import { cutFace } from '../../faces/align.js';
import { readBlazeFace, type BlazeFace } from '../../faces/blazeface.js';
import type { GraphFile } from '../../faces/graph.js';
import { atOnce } from '../../slices.js';
import type { Face, Prediction } from './api.js';
import { perturbed, type Settings } from './perturb.js';

/** What the thread is given once. */
export interface Setup {
  /** Where onnxruntime-web's script and its WebAssembly are. */
  runtime: { script: string; wasm: string };
  /** Where the finder can be had. */
  finder?: { graph: GraphFile; weights: ArrayBuffer };
}

export interface NewModel {
  name: string;
  classes: string[];
  inputSize: number;
  onnx: ArrayBuffer;
}

/** Of onnxruntime-web what is called here. */
interface Runtime {
  env: { wasm: { numThreads: number; wasmPaths: { wasm: string } } };
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => object;
  InferenceSession: { create(model: Uint8Array): Promise<Session> };
}
interface Session {
  run(feeds: Record<string, object>): Promise<Record<string, { data: Float32Array }>>;
}

let runtime: Runtime;
let finder: BlazeFace | undefined;
const models = new Map<string, NewModel & { session: Session }>();

/** As the server's finder. */
const LEAST = 0.5;

async function predict(name: string, pixels: Uint8Array): Promise<Prediction> {
  const { session, classes, inputSize } = models.get(name)!;
  const input = new runtime.Tensor('float32', Float32Array.from(pixels), [1, 1, inputSize, inputSize]);
  const shares = [...(await session.run({ pixel_values: input })).probabilities.data];
  const index = shares.indexOf(Math.max(...shares));
  const probabilities = Object.fromEntries(classes.map((each, i) => [each, shares[i]]));
  return { label: classes[index], probability: shares[index], probabilities };
}

/** The picture's colours, on black where it is transparent. */
async function colours(picture: Blob): Promise<{ colour: ColourPicture; grey: Uint8Array }> {
  const image = await createImageBitmap(picture);
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  image.close();
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    pixels[to] = data[from];
    pixels[to + 1] = data[from + 1];
    pixels[to + 2] = data[from + 2];
  }
  return { colour: { pixels, width, height }, grey: atOnce(luma(data, 4)) };
}

async function faces(picture: Blob, name: string): Promise<{ faces: Face[]; found: boolean }> {
  const { colour, grey } = await colours(picture);
  const { width, height } = colour;
  const size = models.get(name)!.inputSize;
  const whole = { box: { left: 0, top: 0, width: 0, height: 0 }, confidence: 1 };
  const places = finder ? finder.find(colour, LEAST) : [whole];
  const found: Face[] = [];
  for (const place of places) {
    const source = { pixels: grey, width, height };
    const seen = finder ? cutFace(source, place, size) : atOnce(stretched(source, size));
    found.push({ box: place.box, prediction: await predict(name, seen), seen: btoa(String.fromCharCode(...seen)) });
  }
  return { faces: found, found: finder !== undefined };
}

const TASKS = {
  async setup({ runtime: { script, wasm }, finder: files }: Setup) {
    runtime = (await import(script)) as Runtime;
    runtime.env.wasm.numThreads = 1;
    runtime.env.wasm.wasmPaths = { wasm };
    finder = files && readBlazeFace(files.graph, files.weights);
  },
  async model(given: NewModel) {
    models.set(given.name, { ...given, session: await runtime.InferenceSession.create(new Uint8Array(given.onnx)) });
  },
  faces: ({ picture, model }: { picture: Blob; model: string }) => faces(picture, model),
  async explain({ seen, model, perturbations }: { seen: string; model: string; perturbations: Settings[] }) {
    const size = models.get(model)!.inputSize;
    const pixels = perturbed(
      Uint8Array.from(atob(seen), (sign) => sign.charCodeAt(0)),
      size,
      perturbations,
    );
    const prediction = await predict(model, pixels);
    return { class: prediction.label, prediction, size, pixels: [...pixels] };
  },
};

/** A question to the thread, and what comes back under its number. */
export type Task = { [K in keyof typeof TASKS]: { kind: K; given: Parameters<(typeof TASKS)[K]>[0] } }[keyof typeof TASKS];
export type Answer = { id: number } & ({ value: unknown } | { problem: string });

const port = globalThis as unknown as { postMessage(answer: Answer): void };
addEventListener('message', ({ data: { id, kind, given } }: MessageEvent<Task & { id: number }>) => {
  (TASKS[kind] as (given: unknown) => Promise<unknown>)(given).then(
    (value) => port.postMessage({ id, value }),
    (error: unknown) => port.postMessage({ id, problem: error instanceof Error ? error.message : String(error) }),
  );
});
