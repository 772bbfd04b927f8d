/** What was measured of each model, sorted as the report shows it: the paper's series beside its figures, and the severities. */
import type { MeasuredCurve, ModelFacts } from './found.js';
import type { MeasuredSeries, RobustnessMeasurement, RobustnessPoint } from './measure.js';
import { PAPER_SERIES, type PaperSeries } from './series.js';

export interface ModelCurves extends ModelFacts {
  /** The unperturbed split. */
  clean: RobustnessMeasurement['clean'];
  split: string;
  paper: PaperCurve[];
  severities: MeasuredSeries[];
}

export interface PaperCurve {
  series: PaperSeries;
  points: RobustnessPoint[];
}

export function modelCurves(curves: readonly MeasuredCurve[]): ModelCurves[] {
  const names = [...new Set(curves.map(({ model }) => model.name))];
  return names.map((name): ModelCurves => {
    const own = curves.filter(({ model }) => model.name === name);
    const measured = own.flatMap(({ measurement }) => measurement.series);
    const { clean, split } = own[0].measurement;
    return {
      ...own[0].model,
      clean,
      split,
      paper: PAPER_SERIES.flatMap((series) => measured.filter(({ id }) => id === series.id).map(({ points }) => ({ series, points }))),
      severities: measured.filter(({ points }) => points.every(({ severity }) => severity !== undefined)),
    };
  });
}

/** The paper's series that any of the models has, in the paper's order. */
export const paperSeriesOf = (models: readonly ModelCurves[]): PaperSeries[] =>
  PAPER_SERIES.filter((series) => models.some(({ paper }) => paper.some((curve) => curve.series === series)));

export const pointsOf = ({ paper }: ModelCurves, series: PaperSeries): RobustnessPoint[] =>
  paper.flatMap((curve) => (curve.series === series ? curve.points : []));
