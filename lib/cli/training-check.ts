/** One training step on a device, from the data set to the loss: what `doctor` tries. */
import { FER_CLASSES } from '../data/class-names.js';
import type { Device } from '../device.js';
import { MiniXception } from '../model.js';

export async function trainOneStep(device: Device): Promise<string> {
  const [size, count] = [48, 20];
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
  using model = MiniXception.create({ device });
  const { rows: epochs } = await model.fit(data, { preset: 'quick', epochs: 1, batchSize: count });
  return `one step on ${model.deviceDescription}, loss ${epochs[0].trainLoss.toFixed(3)}`;
}
