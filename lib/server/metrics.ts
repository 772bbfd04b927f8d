/** What Prometheus reads: of the process, of requests by route, of batches by model. */
import type { Libraries } from './libraries.js';
import type { Gate } from './gate.js';

/** Seconds: from a lone small picture to the time-out. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const IMAGES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export class Metrics {
  private readonly registry;
  private readonly seconds;
  private readonly images;
  private readonly batches;

  constructor({ prometheus }: Pick<Libraries, 'prometheus'>, gate: () => Gate) {
    const registers = [(this.registry = new prometheus.Registry())];
    prometheus.collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 10 });
    const { Histogram, Counter, Gauge } = prometheus;
    this.seconds = new Histogram({
      name: 'fer_request_duration_seconds',
      help: 'From the head of a request to the end of its answer, by route, method and status; its count is the number of requests.',
      labelNames: ['route', 'method', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.images = new Counter({ name: 'fer_images_total', help: 'Pictures that went through a model.', labelNames: ['model'], registers });
    this.batches = new Histogram({
      name: 'fer_batch_images',
      help: 'Pictures in a batch, by model.',
      labelNames: ['model'],
      buckets: IMAGES,
      registers,
    });
    new Gauge({
      name: 'fer_requests_under_way',
      help: 'Requests that hold a place in the queue.',
      registers,
      collect() {
        this.set(gate().under);
      },
    });
    new Counter({
      name: 'fer_requests_refused_total',
      help: 'Requests answered 503 because the queue was full.',
      registers,
      collect() {
        this.reset();
        this.inc(gate().refused);
      },
    });
  }

  request(route: string, method: string, status: number, seconds: number): void {
    this.seconds.observe({ route, method, status }, seconds);
  }

  batch(model: string, images: number): void {
    this.images.inc({ model }, images);
    this.batches.observe({ model }, images);
  }

  get contentType(): string {
    return this.registry.contentType;
  }
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
