// A model a thread. predict() does not hold up the event loop by itself: this is for programs that do other work in these threads, too,
// or that want several batches under way at once. node pool.mjs face.jpg other.jpg …
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { MiniXception } from 'fer-cudnn';

const FILE = fileURLToPath(import.meta.url);

export class Pool {
  #free = [];
  #waiting = [];
  #workers = [];

  constructor(threads = availableParallelism()) {
    this.#workers = Array.from({ length: threads }, () => new Worker(FILE));
    for (const worker of this.#workers) this.#rest(worker);
  }

  /** What `model.predict` says of a picture: a path, or an encoded one. */
  predict(picture) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ picture, resolve, reject });
      this.#next();
    });
  }

  #rest(worker) {
    this.#free.push(worker);
    this.#next();
  }

  #next() {
    if (this.#free.length === 0 || this.#waiting.length === 0) return;
    const worker = this.#free.pop();
    const { picture, resolve, reject } = this.#waiting.shift();
    worker.once('message', ({ prediction, message }) => {
      if (prediction) resolve(prediction);
      else reject(new Error(message));
      this.#rest(worker);
    });
    worker.postMessage(picture);
  }

  async close() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

if (!isMainThread) {
  // A thread beside others: one CPU thread each.
  const model = await MiniXception.pretrained('narrow', { threads: 1 });
  parentPort.on('message', async (picture) => {
    try {
      parentPort.postMessage({ prediction: await model.predict(picture) });
    } catch ({ message }) {
      parentPort.postMessage({ message });
    }
  });
} else if (process.argv[1] === FILE) {
  const pool = new Pool();
  const pictures = process.argv.slice(2);
  const answers = await Promise.all(pictures.map((picture) => pool.predict(picture)));
  answers.forEach(({ label, probability }, i) => console.log(pictures[i], label, probability.toFixed(3)));
  await pool.close();
}
