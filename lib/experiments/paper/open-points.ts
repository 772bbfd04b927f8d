/** The report's small print: what the paper does not say, and what preset `paper` and the experiments do instead. */
import type { OpenPoint } from '../../report/result.js';
import { resolveConfig } from '../../training/config.js';

export type OpenPointName = keyof typeof POINTS;

const paper = resolveConfig({ preset: 'paper' });

const POINTS = {
  optimizer: {
    point: 'Which optimiser, and with which momentum and weight decay.',
    here: `${paper.optimizer.toUpperCase()} with momentum ${paper.momentum} and weight decay ${paper.weightDecay}.`,
  },
  loss: {
    point: 'Which loss.',
    here: `Cross-entropy, classes unweighted, label smoothing ${paper.labelSmoothing}.`,
  },
  augmentation: {
    point: 'Whether training images were augmented.',
    here: 'Not at all in preset paper.',
  },
  initialisation: {
    point: 'How weights were initialised, and from which seed.',
    here: "PyTorch's default initialisation; the seeds are listed with the results.",
  },
  plateau: {
    point: 'How the learning rate was reduced on plateau: factor, patience, threshold, and which figure of which images was watched.',
    here:
      `Factor ${paper.plateauFactor}, patience ${paper.plateauPatience}, relative threshold ${paper.plateauThreshold}, ` +
      `watching the ${paper.plateauMetric} on PublicTest.`,
  },
  checkpoint: {
    point: 'Whether the last or the best epoch was reported.',
    here: 'The last one in preset paper; in presets clean and robust the best on PublicTest.',
  },
  selection: {
    point:
      'On which images the settings C1 to C4 were compared. Only PrivateTest figures are printed, so the choice fell on the test images.',
    here: 'Preset paper reports the same way; presets clean and robust choose on PublicTest and report PrivateTest once.',
  },
  zeroDivision: {
    point: 'What the precision of a class that is never predicted counts as.',
    here: '0.',
  },
  intervals: {
    point: `How certain the figures are. No interval, seed or repetition is given.`,
    here: '95 % Wilson intervals: about ±1.6 points at n = 3,589. They cover the choice of images, not the luck of a seed.',
  },
  rotation: {
    point: 'Which way images were turned, how pixels were interpolated, and whether the picture grew or was cropped.',
    here: "MATLAB imrotate's sign (counter-clockwise) and nearest-neighbour default, cropped to 48x48, black outside.",
  },
  brightness: {
    point: 'How brightness was multiplied: before or after normalisation, and what happens above white.',
    here: 'On 8-bit pixels before normalisation, rounded half up and cut off at 255, as MATLAB does with uint8.',
  },
  twentyOne: {
    point:
      'Which 21 images were changed. They were picked because they are right unchanged, and every figure is k of 21, some cut off (17/21 = 80.95 printed as 80.9).',
    here: 'Three a class, drawn by seed from the images that are right; beside them 1,000 such draws, all right images, and the whole split. At n = 21 an interval is about ±20 points.',
  },
} satisfies Record<string, OpenPoint>;

export const openPoints = (names: readonly OpenPointName[]): OpenPoint[] => names.map((name) => POINTS[name]);

/** Those that touch every training. */
export const TRAINING_POINTS: readonly OpenPointName[] = [
  'optimizer',
  'loss',
  'augmentation',
  'initialisation',
  'plateau',
  'checkpoint',
  'selection',
  'zeroDivision',
  'intervals',
];
