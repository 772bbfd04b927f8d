/** Named starting points. A flag or a configuration file overrides single options. */
import type { PresetName, TrainingConfig } from './options.js';

/** What `robust` shares with `clean`. */
const CLEAN: Partial<TrainingConfig> = {
  epochs: 100,
  batchSize: 64,
  optimizer: 'adamw',
  learningRate: 0.006,
  weightDecay: 0.01,
  schedule: 'one-cycle',
  emaDecay: 0.998,
  flip: 0.5,
  geometric: 1,
  rotation: 10,
  shift: 0.06,
  zoom: 0.1,
  selectBy: 'best',
};

interface Preset {
  /** What it is for, in a line. */
  describe: string;
  /** What it sets; every other option has its default. */
  options: Partial<TrainingConfig>;
}

/** The named starting points: what each is for, and the options that it sets. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  quick: {
    describe: 'a first try in a minute or two, made for the synthetic faces',
    options: {
      epochs: 12,
      batchSize: 64,
      optimizer: 'adamw',
      learningRate: 0.006,
      weightDecay: 0.01,
      schedule: 'one-cycle',
      emaDecay: 0.98,
      flip: 0.5,
      selectBy: 'best',
    },
  },
  clean: {
    describe: 'the protocol we stand by: augmented, chosen on PublicTest, PrivateTest reported once',
    options: CLEAN,
  },
  robust: {
    describe: "clean's protocol, learning from faces tilted up to 50 degrees and lit by factors of 0.05 to 1.95; last epoch",
    options: {
      ...CLEAN,
      epochs: 200,
      geometric: 0.9,
      rotation: 50,
      shift: 0.03,
      zoom: 0.05,
      fill: 'black',
      nearest: 0.8,
      photometric: 0.8,
      brightness: 0.95,
      contrast: 0.1,
      selectBy: 'last',
    },
  },
  paper: {
    describe: "the paper's: batch 40, learning rate 0.01 reduced on plateau, 100 epochs, no augmentation, last epoch",
    options: {
      epochs: 100,
      batchSize: 40,
      optimizer: 'sgd',
      momentum: 0.9,
      learningRate: 0.01,
      schedule: 'plateau',
      plateauMetric: 'loss',
      selectBy: 'last',
    },
  },
};
