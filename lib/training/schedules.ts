/** Learning-rate schedules: each gives one rate a step of an epoch, and may learn from the epoch's validation. */
import type { TrainingConfig } from './options.js';

export interface Schedule {
  /** Rates for the `steps` steps of zero-based `epoch`. */
  learningRates(epoch: number, steps: number): Float32Array;
  /** Tells the schedule how the epoch ended. */
  epochEnded(validation: { loss: number; accuracy: number }): void;
  /** What must be saved to go on later; JSON. */
  state(): Record<string, number>;
  restore(state: Record<string, number>): void;
}

export interface PlateauOptions {
  mode: 'min' | 'max';
  factor: number;
  patience: number;
  /** Relative. */
  threshold: number;
  cooldown: number;
  minLearningRate: number;
}

/** PyTorch's ReduceLROnPlateau (threshold_mode "rel", eps 1e-8): reduces after patience + 1 epochs without improvement. */
export class Plateau {
  private best: number;
  private bad = 0;
  private waiting = 0;

  constructor(
    public learningRate: number,
    private readonly options: PlateauOptions,
  ) {
    this.best = options.mode === 'min' ? Infinity : -Infinity;
  }

  step(value: number): void {
    const { mode, factor, patience, threshold, cooldown, minLearningRate } = this.options;
    const better = mode === 'min' ? value < this.best * (1 - threshold) : value > this.best * (1 + threshold);
    if (better) {
      this.best = value;
      this.bad = 0;
    } else this.bad++;
    if (this.waiting > 0) {
      this.waiting--;
      this.bad = 0;
    }
    if (this.bad <= patience) return;
    const reduced = Math.max(this.learningRate * factor, minLearningRate);
    if (this.learningRate - reduced > 1e-8) this.learningRate = reduced;
    this.waiting = cooldown;
    this.bad = 0;
  }

  state(): Record<string, number> {
    // JSON has no infinity: an untouched best is left out.
    return {
      learningRate: this.learningRate,
      bad: this.bad,
      waiting: this.waiting,
      ...(Number.isFinite(this.best) ? { best: this.best } : {}),
    };
  }

  restore(state: Record<string, number>): void {
    this.learningRate = state.learningRate;
    this.bad = state.bad;
    this.waiting = state.waiting;
    this.best = state.best ?? (this.options.mode === 'min' ? Infinity : -Infinity);
  }
}

/** PyTorch's OneCycleLR with its defaults: a cosine up over 30 % of the steps from 1/25, then down to 1/250,000 of the peak. */
export function oneCycle(step: number, total: number, peak: number): number {
  const cosine = (from: number, to: number, share: number): number => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
  const start = peak / 25;
  const top = 0.3 * total - 1;
  const end = total - 1;
  if (step <= top) return cosine(start, peak, top > 0 ? step / top : 1);
  return cosine(peak, start / 1e4, end > top ? (step - top) / (end - top) : 1);
}

type Shape = (step: number, total: number) => number;

/** The schedule a configuration asks for. */
export function makeSchedule(config: TrainingConfig): Schedule {
  const { learningRate, minLearningRate } = config;
  const plateau = new Plateau(learningRate, {
    mode: config.plateauMetric === 'loss' ? 'min' : 'max',
    factor: config.plateauFactor,
    patience: config.plateauPatience,
    threshold: config.plateauThreshold,
    cooldown: config.plateauCooldown,
    minLearningRate,
  });
  const shapes: Record<TrainingConfig['schedule'], Shape> = {
    constant: () => learningRate,
    plateau: () => plateau.learningRate,
    'one-cycle': (step, total) => oneCycle(step, total, learningRate),
    cosine: (step, total) => minLearningRate + ((learningRate - minLearningRate) / 2) * (1 + Math.cos((Math.PI * step) / total)),
  };
  const shape = shapes[config.schedule];
  return {
    learningRates(epoch, steps) {
      const warmup = Math.round(config.warmupEpochs * steps);
      const total = Math.max(1, config.epochs * steps - warmup);
      return Float32Array.from({ length: steps }, (_, i) => {
        const step = epoch * steps + i;
        return step < warmup ? (shape(0, total) * (step + 1)) / (warmup + 1) : shape(step - warmup, total);
      });
    },
    epochEnded: (validation) => plateau.step(validation[config.plateauMetric]),
    state: () => plateau.state(),
    restore: (state) => plateau.restore(state),
  };
}
