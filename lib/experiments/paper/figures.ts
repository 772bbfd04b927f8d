/**
 * The figures printed by Lyu, "Facial Expression Recognition based on Mini_Xception": FER2013, trained on Training,
 * reported on PrivateTest (n = 3,589), PyTorch on an RTX 3070. Shares are fractions.
 */
import { wilsonInterval } from '../../metrics/index.js';
import type { Figure } from '../../report/result.js';

export const PAPER_TEST_IMAGES = 3589;
export const PAPER_MACHINE = 'an RTX 3070';

/** The paper's accuracy with the interval that its n allows. */
export function paperAccuracy(value: number): Figure {
  const n = PAPER_TEST_IMAGES;
  return { value, n, interval: wilsonInterval(Math.round(value * n), n) };
}

export interface PaperNetwork {
  accuracy: number;
  macroPrecision: number;
  macroRecall: number;
  secondsAnEpoch: number;
}

/** Table 1: batch 40, learning rate 0.01, 100 epochs. */
export const PAPER_WIDTHS: Readonly<Record<'narrow' | 'wide', PaperNetwork>> = {
  narrow: { accuracy: 0.506, macroPrecision: 0.443, macroRecall: 0.512, secondsAnEpoch: 58.3 },
  wide: { accuracy: 0.536, macroPrecision: 0.606, macroRecall: 0.522, secondsAnEpoch: 146.3 },
};
export const PAPER_EPOCHS = 100;

export interface PaperSetting {
  name: string;
  batchSize: number;
  learningRate: number;
  epochs: number;
  accuracy: number;
}

/** Table 2, the wide network. */
export const PAPER_SETTINGS: readonly PaperSetting[] = [
  { name: 'C1', batchSize: 40, learningRate: 0.01, epochs: 100, accuracy: 0.536 },
  { name: 'C2', batchSize: 15, learningRate: 0.01, epochs: 100, accuracy: 0.567 },
  { name: 'C3', batchSize: 15, learningRate: 0.001, epochs: 100, accuracy: 0.601 },
  { name: 'C4', batchSize: 15, learningRate: 0.001, epochs: 150, accuracy: 0.619 },
];

/** Images behind each figure of Tables 3 and 4: three a class. */
export const PAPER_IMAGES = 21;

/** Images still right at one strength of a perturbation. */
export interface PaperPoint {
  /** 0..1, as printed: k / 21, some of them truncated. */
  share: number;
  /** Images of 21. */
  k: number;
  /** The paper gives only a bound, for any larger strength too: fewer than `k`. */
  bound?: boolean;
}

/** A share as printed; the interval is that of the k behind it. */
export const paperShare = ({ k, share: value, bound }: PaperPoint): Figure =>
  bound ? { value, n: PAPER_IMAGES, below: true } : { value, n: PAPER_IMAGES, interval: wilsonInterval(k, PAPER_IMAGES) };

/** Table 3: by degrees. */
export const PAPER_ROTATION: ReadonlyMap<number, PaperPoint> = new Map([
  [1, { k: 20, share: 0.952 }],
  [4, { k: 19, share: 0.905 }],
  [8, { k: 17, share: 0.809 }],
  [10, { k: 16, share: 0.762 }],
  [15, { k: 12, share: 0.571 }],
  [30, { k: 9, share: 0.429 }],
  [45, { k: 6, share: 0.286 }],
]);

/** Table 4: by factor. Of factors "> 2.0" it says "< 9.5 %": measured here at 2.0 and 2.5. */
export const PAPER_BRIGHTNESS: ReadonlyMap<number, PaperPoint> = new Map<number, PaperPoint>([
  [0.3, { k: 14, share: 0.667 }],
  [0.5, { k: 16, share: 0.762 }],
  [0.7, { k: 18, share: 0.857 }],
  [0.9, { k: 20, share: 0.952 }],
  [1.1, { k: 21, share: 1 }],
  [1.2, { k: 18, share: 0.857 }],
  [1.3, { k: 17, share: 0.809 }],
  [1.4, { k: 13, share: 0.619 }],
  [1.5, { k: 12, share: 0.571 }],
  [1.8, { k: 3, share: 0.143 }],
  [2, { k: 2, share: 0.095, bound: true }],
  [2.5, { k: 2, share: 0.095, bound: true }],
]);
