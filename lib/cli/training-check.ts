/**
 * Three training steps on a device, from the data set to the loss: what `doctor` tries. A GPU runs the first step directly, captures
 * the second and replays it for the third.
 */
import { FER_CLASSES } from '../data/class-names.js';
import type { Device } from '../device.js';
import { MiniXception } from '../model.js';

/** `small`: a network of every kind of layer that takes no time; default the narrow one. */
export async function trainThreeSteps(device: Device, small = false): Promise<string> {
  const [size, batchSize, steps] = [48, 20, 3];
  const count = batchSize * steps;
  const rows = Uint32Array.from({ length: count }, (_, i) => i);
  const data = {
    name: 'ramps',
    source: 'doctor',
    synthetic: true,
    classes: FER_CLASSES,
    size,
    images: Uint8Array.from({ length: count * size * size }, (_, i) => (i * 31) % 251),
    labels: Uint8Array.from({ length: count }, (_, i) => i % FER_CLASSES.length),
    splits: new Map([['Training', rows]]),
    notes: [],
    badRows: [],
  };
  using model = MiniXception.create({ device, ...(small ? { width: { stem: [8, 8], modules: [16] }, inputSize: 24 } : {}) });
  const { rows: epochs } = await model.fit(data, { preset: 'quick', epochs: 1, batchSize });
  return `three steps on ${model.deviceDescription}, loss ${epochs[0].trainLoss.toFixed(3)}`;
}
