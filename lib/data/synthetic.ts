/**
 * Procedural faces: the embedded data set of a first try and of the tests. Seven expressions drawn from brows,
 * eyes and mouth, with jitter in pose, scale, light and noise. They resemble FER2013 in form only; a network
 * trained on them recognises nothing in photographs.
 */
import { generator } from '../random.js';
import { atOnce, inSlices } from '../slices.js';
import { FER_CLASSES } from './class-names.js';
import type { LabelledImages } from './data-set.js';
import type { SplitName } from './splits.js';

/** How one expression bends a face; lengths in units of the face's half width. */
interface Expression {
  /** Height of the brows' inner and outer ends above their rest. */
  browInner: number;
  browOuter: number;
  /** Half height of the eyes. */
  eyeOpen: number;
  /** Rise of the mouth's corners over its middle: positive smiles. */
  smile: number;
  mouthOpen: number;
  mouthWidth: number;
  /** Wrinkles beside the nose. */
  wrinkle: number;
  /** One-sided raise of the lip. */
  sneer: number;
}

const EXPRESSIONS: Record<string, Expression> = {
  angry: { browInner: -0.16, browOuter: 0.06, eyeOpen: 0.07, smile: -0.08, mouthOpen: 0.02, mouthWidth: 0.34, wrinkle: 0.3, sneer: 0 },
  disgust: { browInner: -0.07, browOuter: -0.03, eyeOpen: 0.06, smile: -0.1, mouthOpen: 0.06, mouthWidth: 0.32, wrinkle: 1, sneer: 0.14 },
  fear: { browInner: 0.16, browOuter: 0.02, eyeOpen: 0.17, smile: -0.04, mouthOpen: 0.1, mouthWidth: 0.46, wrinkle: 0, sneer: 0 },
  happy: { browInner: 0.02, browOuter: 0.04, eyeOpen: 0.08, smile: 0.2, mouthOpen: 0.07, mouthWidth: 0.5, wrinkle: 0.2, sneer: 0 },
  sad: { browInner: 0.14, browOuter: -0.1, eyeOpen: 0.08, smile: -0.17, mouthOpen: 0.01, mouthWidth: 0.34, wrinkle: 0, sneer: 0 },
  surprise: { browInner: 0.18, browOuter: 0.18, eyeOpen: 0.18, smile: 0, mouthOpen: 0.26, mouthWidth: 0.24, wrinkle: 0, sneer: 0 },
  neutral: { browInner: 0, browOuter: 0, eyeOpen: 0.11, smile: 0, mouthOpen: 0.02, mouthWidth: 0.38, wrinkle: 0, sneer: 0 },
};

// Math.hypot guards against overflow at many times the cost.
const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);

const SPLITS: [name: SplitName, perClass: number][] = [
  ['Training', 400],
  ['PublicTest', 50],
  ['PrivateTest', 50],
];

interface SyntheticOptions {
  /** Side of each image, pixels. Default 48. */
  size?: number;
  /** Default 0. */
  seed?: number;
}

/** 2,800 training and 2 x 350 held-out faces, seven classes in equal numbers. `size`: pixels, default 48. */
export function syntheticFaces(options: { size?: number; seed?: number } = {}): LabelledImages {
  return atOnce(drawAll(options));
}

/** The same, and others may work meanwhile. */
export function syntheticFacesInSlices(options: SyntheticOptions): Promise<LabelledImages> {
  return inSlices(drawAll(options));
}

function* drawAll(options: SyntheticOptions): Generator<void, LabelledImages> {
  const size = options.size ?? 48;
  const seed = options.seed ?? 0;
  const count = SPLITS.reduce((sum, [, perClass]) => sum + perClass * FER_CLASSES.length, 0);
  const images = new Uint8Array(count * size * size);
  const labels = new Uint8Array(count);
  const splits = new Map<string, Uint32Array>();
  let row = 0;
  for (const [name, perClass] of SPLITS) {
    const rows = new Uint32Array(perClass * FER_CLASSES.length);
    for (let i = 0; i < rows.length; i++, row++, yield) {
      labels[row] = i % FER_CLASSES.length;
      rows[i] = row;
      drawFace(
        EXPRESSIONS[FER_CLASSES[labels[row]]],
        generator(seed * 7919 + row),
        size,
        images.subarray(row * size * size, (row + 1) * size * size),
      );
    }
    splits.set(name, rows);
  }
  return {
    name: 'synthetic faces',
    source: 'synthetic faces',
    synthetic: true,
    classes: [...FER_CLASSES],
    size,
    images,
    labels,
    splits,
    notes: ['drawn by this program, not photographs: figures on them say nothing about real faces'],
    badRows: [],
  };
}

function drawFace(expression: Expression, random: () => number, size: number, out: Uint8Array): void {
  const around = (middle: number, spread: number): number => middle + (random() * 2 - 1) * spread;
  const strength = around(0.65, 0.35);
  const e = (key: keyof Expression): number => {
    const rest = EXPRESSIONS.neutral[key];
    return rest + (expression[key] - rest) * strength + around(0, 0.035);
  };
  const scale = around(0.74, 0.08);
  const angle = around(0, 0.3);
  const cx = around(0, 0.08);
  const cy = around(0, 0.08);
  const skin = around(165, 45);
  const dark = skin * around(0.35, 0.1);
  const background = around(90, 70);
  const lightX = around(0, 28);
  const lightY = around(0, 22);
  const aspect = around(1.25, 0.1);
  const noise = around(16, 8);
  const browGap = around(0.36, 0.04);
  const [browInner, browOuter, eyeOpen, smile] = [e('browInner'), e('browOuter'), Math.max(e('eyeOpen'), 0.03), e('smile')];
  const [mouthOpen, mouthWidth, wrinkle, sneer] = [
    Math.max(e('mouthOpen'), 0.01),
    Math.max(e('mouthWidth'), 0.15),
    e('wrinkle'),
    e('sneer'),
  ];
  const sneerSide = random() < 0.5 ? -1 : 1;
  const cos = Math.cos(angle) / scale;
  const sin = Math.sin(angle) / scale;
  const soft = 3 / (size * scale); // edges blend over about a pixel and a half
  const cover = (distance: number): number => Math.min(1, Math.max(0, 0.5 - distance / soft));

  for (let py = 0; py < size; py++)
    for (let px = 0; px < size; px++) {
      const x0 = ((px + 0.5) / size) * 2 - 1 - cx;
      const y0 = ((py + 0.5) / size) * 2 - 1 - cy;
      const x = x0 * cos + y0 * sin;
      const y = y0 * cos - x0 * sin;
      let value = background;
      const paint = (shade: number, amount: number): void => {
        value += (shade - value) * amount;
      };
      paint(skin + lightX * x + lightY * y, cover((length(x, y / aspect) - 0.95) * 0.9));
      const side = Math.abs(x);
      const across = (side - 0.36) / 0.2; // -1 at the eye's inner corner, 1 at its outer
      // eyes: white, iris, upper lid
      const eye = cover((length(across, (y + 0.2) / eyeOpen) - 1) * Math.min(eyeOpen, 0.2));
      paint(225, eye);
      paint(dark * 0.6, Math.min(eye, cover(length(side - 0.36, y + 0.2) - 0.085)));
      // brows
      const browY = -0.2 - browGap * 0.75 - (browInner * (1 - across) + browOuter * (1 + across)) / 2;
      paint(dark, cover(Math.max(Math.abs(y - browY) - 0.045, (Math.abs(across) - 1.25) * 0.2)));
      // nose and its wrinkles
      paint(dark, 0.45 * cover(Math.max(Math.abs(y - 0.2) - 0.03, side - 0.12)));
      if (wrinkle > 0.05)
        paint(
          dark,
          0.6 * Math.min(1, wrinkle) * cover(Math.max(Math.abs(y - 0.02 - 0.25 * (side - 0.14)) - 0.02, Math.abs(side - 0.17) - 0.09)),
        );
      // mouth: a parabola through the corners, open around it
      const u = x / mouthWidth;
      const lip = 0.52 - smile * (u * u - 0.4) - (u * sneerSide > 0.1 ? sneer : 0);
      const height = 0.035 + mouthOpen * Math.sqrt(Math.max(0, 1 - u * u));
      paint(dark * 0.8, cover(Math.max(Math.abs(y - lip) - height, (Math.abs(u) - 1) * mouthWidth)));
      if (mouthOpen > 0.05 && smile > 0.08)
        paint(230, cover(Math.max(Math.abs(y - lip) - height * 0.5, (Math.abs(u) - 0.85) * mouthWidth)));
      // sum of three uniforms: close enough to normal noise
      value += noise * (random() + random() + random() - 1.5) * 1.6;
      out[py * size + px] = Math.min(255, Math.max(0, Math.round(value)));
    }
}
