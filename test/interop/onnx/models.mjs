// Networks of many forms, with weights and running statistics that no layer could be left out for.
/** xorshift: the same values on every machine. */
function draws(seed) {
  let state = seed * 2654435761 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A network of the class given (of lib/ or dist/) whose batch norms have drawn scales, shifts, means and variances, and logits that lie some units apart. */
export async function drawnModel(MiniXception, options, seed) {
  const model = MiniXception.create({ ...options, seed });
  const next = draws(seed + 1);
  const tensors = await model.tensors();
  for (const [name, { data }] of tensors) {
    if (name.startsWith('head.')) for (let i = 0; i < data.length; i++) data[i] *= 20;
    if (!/bn\d?\./.test(name)) continue;
    const [low, high] = /running_var|weight/.test(name) ? [0.5, 1.5] : [-0.3, 0.3];
    for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * next();
  }
  await model.setTensors(tensors);
  return model;
}

export function drawnPixels(count, size, channels, seed) {
  const next = draws(seed + 7);
  return Uint8Array.from({ length: count * channels * size * size }, () => Math.floor(256 * next()));
}

/** Logits [count, classes] of grey images [count, size, size]. */
export const logitsOf = (model, images, count) => model.native.logits(images, count);
