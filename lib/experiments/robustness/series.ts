/**
 * What experiment 3 tries, as data: the paper's degrees and factors with its figures, and every perturbation at its five
 * severities. A series carries all that the report says of it, so that another one is another entry here.
 */
import { SEVERITIES, type Severity } from '../../perturb/definition.js';
import { atSeverity, definitionOf, PERTURBATION_TYPES, type Perturbation, type PerturbationType } from '../../perturb/registry.js';
import { PAPER_BRIGHTNESS, PAPER_ROTATION, type PaperPoint } from '../paper/figures.js';

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

/** A series that the paper has too, with the words for it. */
export interface PaperSeries extends RobustnessSeries {
  /** Where the paper prints it, such as "Table 3". */
  place: string;
  name: string;
  /** What was done to the images, after "after". */
  change: string;
  /** What a reader should know of one strength on images of `size` x `size` pixels. */
  remark?: (value: number, size: number) => string | undefined;
}

type PaperWords = Pick<PaperSeries, 'place' | 'name' | 'change' | 'remark'>;

/** The perturbation's own strength at each of the paper's levels. */
function paperSeries(
  type: PerturbationType,
  figures: ReadonlyMap<number, PaperPoint>,
  label: (value: number) => string,
  words: PaperWords,
): PaperSeries {
  const { main } = definitionOf(type);
  const settings = [...figures].map(([value, paper]): RobustnessSetting => {
    const perturbation = { type, [main]: value } as unknown as Perturbation;
    return { label: label(value), value, perturbation, paper };
  });
  return { id: `paper-${type}`, title: `${words.name}, as in the paper`, type, axis: main, settings, ...words };
}

/** Whether a rotation moves even a corner by less than half a pixel along either axis. */
function movesNothing(degrees: number, size: number): boolean {
  const angle = (degrees * Math.PI) / 180;
  return ((size - 1) / 2) * (Math.sin(angle) + 1 - Math.cos(angle)) < 0.5;
}

/**
 * The paper's Tables 3 and 4. It does not say which way it turned, how it filled the corners or between which pixels it read: here
 * counter-clockwise, black and nearest, the defaults of MATLAB's imrotate, cropped.
 */
export const PAPER_SERIES: readonly PaperSeries[] = [
  paperSeries('rotation', PAPER_ROTATION, (degrees) => `${degrees}°`, {
    place: 'Table 3',
    name: 'Rotation',
    change: 'rotation',
    remark: (degrees, size) =>
      movesNothing(degrees, size)
        ? `Read to the nearest pixel, a ${size}x${size} image does not change at this angle; the paper must have read or sized it otherwise.`
        : undefined,
  }),
  paperSeries('brightness', PAPER_BRIGHTNESS, (factor) => `×${factor.toFixed(1)}`, {
    place: 'Table 4',
    name: 'Brightness',
    change: 'a change of brightness',
  }),
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
