/**
 * The figures printed by Lyu, "Facial Expression Recognition based on Mini_Xception": FER2013, trained on Training,
 * reported on PrivateTest (n = 3,589), PyTorch on an RTX 3070. Shares are fractions.
 */

export const PAPER_TEST_IMAGES = 3589;
export const PAPER_MACHINE = 'an RTX 3070';

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
