// One training step of batch 40, for a profiler to watch: one-step.mjs <narrow|wide> <device>.
import { trainingStep } from '../../bench/measure.mjs';

const [width, device] = process.argv.slice(2);
await trainingStep({ device }, width, 40, { chunks: 1, steps: 1 });
