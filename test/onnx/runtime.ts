/** ONNX Runtime for the web, in Node: one session a model. */
import * as ort from 'onnxruntime-web';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** What the model says of pixels [count, channels, size, size]. */
export async function run(model: Uint8Array, pixels: Uint8Array, shape: readonly number[]): Promise<{ name: string; data: Float32Array }> {
  const session = await ort.InferenceSession.create(model);
  try {
    const [input] = session.inputMetadata;
    const bytes = input.isTensor && input.type === 'uint8';
    const tensor = new ort.Tensor(bytes ? 'uint8' : 'float32', bytes ? pixels : Float32Array.from(pixels), shape);
    const [[name, output]] = Object.entries(await session.run({ pixel_values: tensor }));
    return { name, data: output.data as Float32Array };
  } finally {
    await session.release();
  }
}
