/** What a network says over time: each frame's answer, and a smoothed one that does not flicker. */
import type { Box } from '../data/image.js';
import type { ChartSpec } from '../charts/spec.js';
import type { Prediction } from '../predict/prediction.js';

/** One frame's answer. */
export interface Moment {
  /** From the beginning, seconds. */
  time: number;
  /** What the network says of this frame; absent where no face was found. */
  prediction?: Prediction;
  /** Where the face is, where faces are found. */
  box?: Box;
}

/** The same, with the mean of what came before. */
export interface SmoothedMoment extends Moment {
  /** Probabilities by class, each frame's weight falling with its age; of the last face where there is none. */
  smoothed?: { label: string; probability: number; probabilities: Record<string, number> };
}

/** A smoother of moments in their order. `seconds`: after so long, a frame counts for 1/e of a new one; 0: not at all. */
export function smoother(seconds: number): (moment: Moment) => SmoothedMoment {
  let probabilities: Record<string, number> | undefined;
  let last = 0;
  return (moment) => {
    const { prediction, time } = moment;
    if (prediction) {
      const old = probabilities;
      const share = old && seconds > 0 ? Math.exp(-(time - last) / seconds) : 0;
      probabilities = Object.fromEntries(
        Object.entries(prediction.probabilities).map(([name, value]) => [name, value * (1 - share) + (old?.[name] ?? 0) * share]),
      );
      last = time;
    }
    if (!probabilities) return moment;
    const [label, probability] = Object.entries(probabilities).reduce((best, each) => (each[1] > best[1] ? each : best));
    return { ...moment, smoothed: { label, probability, probabilities } };
  };
}

/** The smoothed probabilities as bands over time. */
export function timelineChart(moments: readonly SmoothedMoment[], classes: readonly string[]): ChartSpec {
  const values = moments.flatMap(({ time, smoothed }) =>
    smoothed ? classes.map((name) => ({ time, class: name, probability: smoothed.probabilities[name] })) : [],
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title: 'Expression over time',
    data: { values },
    width: 760,
    height: 260,
    mark: { type: 'area' },
    encoding: {
      x: { field: 'time', type: 'quantitative', title: 'seconds' },
      y: { field: 'probability', type: 'quantitative', stack: 'normalize', title: 'probability, smoothed', axis: { format: '%' } },
      color: { field: 'class', type: 'nominal', sort: [...classes], title: null, scale: { scheme: 'tableau10' } },
    },
  };
}
