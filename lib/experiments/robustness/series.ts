/** What experiment 3 tries: the paper's degrees and factors with its figures, and every perturbation at its five severities. */
import { SEVERITIES, type Severity } from '../../perturb/definition.js';
import { atSeverity, definitionOf, PERTURBATION_TYPES, type Perturbation, type PerturbationType } from '../../perturb/registry.js';

/** What the paper reports for one setting. */
export interface PaperPoint {
  /** 0..1, as printed: k / 21, truncated. */
  share: number;
  /** Images of 21. */
  k: number;
  /** The paper gives only a bound, for any larger strength too: fewer than `k`. */
  bound?: boolean;
}

/** One strength of a perturbation. */
export interface RobustnessSetting {
  /** Such as "15°" or "severity 3". */
  label: string;
  /** On the axis of a curve: the strength, or the severity. */
  value: number;
  severity?: Severity;
  perturbation: Perturbation;
  paper?: PaperPoint;
}

/** A curve: one perturbation at rising strength. */
export interface RobustnessSeries {
  /** "paper-rotation", "paper-brightness", or the perturbation's type for its five severities. */
  id: string;
  title: string;
  type: PerturbationType;
  /** What `value` is: "degrees", "factor" or "severity". */
  axis: string;
  settings: RobustnessSetting[];
}

const paperRotation = (degrees: number, k: number, share: number): RobustnessSetting => ({
  label: `${degrees}°`,
  value: degrees,
  perturbation: { type: 'rotation', degrees },
  paper: { share, k },
});
const paperBrightness = (factor: number, paper: PaperPoint): RobustnessSetting => ({
  label: `×${factor.toFixed(1)}`,
  value: factor,
  perturbation: { type: 'brightness', factor },
  paper,
});

/**
 * The paper's tables 3 and 4. It does not say which way it turned, how it filled the corners or between which pixels it read: here
 * counter-clockwise, black and nearest, the defaults of MATLAB's imrotate, cropped. Of factors "> 2.0" it says "< 9.5 %": measured
 * here at 2.0 and 2.5.
 */
export const PAPER_SERIES: readonly RobustnessSeries[] = [
  {
    id: 'paper-rotation',
    title: 'Rotation, as in the paper',
    type: 'rotation',
    axis: 'degrees',
    settings: [
      paperRotation(1, 20, 0.952),
      paperRotation(4, 19, 0.905),
      paperRotation(8, 17, 0.809),
      paperRotation(10, 16, 0.762),
      paperRotation(15, 12, 0.571),
      paperRotation(30, 9, 0.429),
      paperRotation(45, 6, 0.286),
    ],
  },
  {
    id: 'paper-brightness',
    title: 'Brightness, as in the paper',
    type: 'brightness',
    axis: 'factor',
    settings: [
      paperBrightness(0.3, { share: 0.667, k: 14 }),
      paperBrightness(0.5, { share: 0.762, k: 16 }),
      paperBrightness(0.7, { share: 0.857, k: 18 }),
      paperBrightness(0.9, { share: 0.952, k: 20 }),
      paperBrightness(1.1, { share: 1, k: 21 }),
      paperBrightness(1.2, { share: 0.857, k: 18 }),
      paperBrightness(1.3, { share: 0.809, k: 17 }),
      paperBrightness(1.4, { share: 0.619, k: 13 }),
      paperBrightness(1.5, { share: 0.571, k: 12 }),
      paperBrightness(1.8, { share: 0.143, k: 3 }),
      paperBrightness(2, { share: 0.095, k: 2, bound: true }),
      paperBrightness(2.5, { share: 0.095, k: 2, bound: true }),
    ],
  },
];

/** Every perturbation at its five severities. */
export const SEVERITY_SERIES: readonly RobustnessSeries[] = PERTURBATION_TYPES.map((type) => ({
  id: type,
  title: definitionOf(type).title,
  type,
  axis: 'severity',
  settings: SEVERITIES.map((severity) => ({
    label: `severity ${severity}`,
    value: severity,
    severity,
    perturbation: atSeverity(type, severity),
  })),
}));
