/**
 * Pictures that wait for a network go through it together: as soon as it is free, all that have come, so that a batch is as large as
 * the load makes it and a lone picture waits for nobody.
 */
import type { NativeModel } from '../native.js';

export interface BatcherOptions {
  /** Pictures in a batch at most. */
  maxBatch: number;
  /** How long a batch's first picture waits for others while the network rests, milliseconds. */
  delay: number;
  /** Told the size of every batch. */
  onBatch?: (images: number) => void;
}

interface Waiting {
  pixels: Uint8Array;
  resolve: (logits: Float32Array) => void;
  reject: (error: unknown) => void;
}

export class Batcher {
  private waiting: Waiting[] = [];
  private busy = false;
  private scheduled = false;

  constructor(
    private readonly model: Pick<NativeModel, 'logits'>,
    private readonly options: BatcherOptions,
  ) {}

  /** Logits [classes] of one picture at the network's input size. */
  logits(pixels: Uint8Array): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ pixels, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.busy || this.scheduled || this.waiting.length === 0) return;
    this.scheduled = true;
    const { maxBatch, delay } = this.options;
    // Even without a delay, what else arrives in this turn of the event loop comes along.
    if (delay > 0 && this.waiting.length < maxBatch) setTimeout(() => void this.run(), delay);
    else setImmediate(() => void this.run());
  }

  private async run(): Promise<void> {
    this.scheduled = false;
    this.busy = true;
    const batch = this.waiting.splice(0, this.options.maxBatch);
    const each = batch[0].pixels.length;
    const images = new Uint8Array(batch.length * each);
    batch.forEach(({ pixels }, i) => images.set(pixels, i * each));
    this.options.onBatch?.(batch.length);
    try {
      const logits = await this.model.logits(images, batch.length);
      const classes = logits.length / batch.length;
      batch.forEach(({ resolve }, i) => resolve(logits.slice(i * classes, (i + 1) * classes)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.busy = false;
    this.schedule();
  }
}
