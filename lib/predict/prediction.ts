/** What a network says of one picture. */
import { argmax, softmax } from '../metrics/index.js';

/** What the network says of one picture. */
export interface Prediction {
  /** The class with the largest probability; the first of equals. */
  label: string;
  /** Index of `label` among the model's classes. */
  index: number;
  /** Of `label`, 0..1. */
  probability: number;
  /** Of every class, by name. */
  probabilities: Record<string, number>;
}

/** One prediction for every row of `logits` [n, classes]. */
export function predictionsOf(logits: Float32Array, classes: readonly string[]): Prediction[] {
  const k = classes.length;
  const probabilities = softmax(logits, k);
  return Array.from({ length: logits.length / k }, (_, i): Prediction => {
    const index = argmax(logits, i * k, k);
    return {
      label: classes[index],
      index,
      probability: probabilities[i * k + index],
      probabilities: Object.fromEntries(classes.map((name, c) => [name, probabilities[i * k + c]])),
    };
  });
}
