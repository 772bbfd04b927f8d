/** What a cell of experiment 3 leaves, as its file holds it. */
import { PERTURBATION_TYPES, type Perturbation } from '../../perturb/registry.js';
import { complete } from '../../perturb/settings.js';
import type { Picture } from '../../report/result.js';
import { picture } from '../../report/schema.js';
import { by, either, list, maybe, number, object, oneOf, pair, text, whole, yes, type Schema } from '../../schema.js';
import type { PaperPoint } from '../paper/figures.js';
import type { MeasuredCurve, ModelFacts, RobustnessFound } from './found.js';
import type { MeasuredSeries, Proportion, RobustnessMeasurement, RobustnessPoint } from './measure.js';

const share = number(0, 1);

const proportion = object<Proportion>({ k: whole(), n: whole(), share, interval: pair(share) });

const perturbation: Schema<Perturbation> = by((value) => {
  complete(value as Perturbation);
  return value as Perturbation;
});

const point = object<RobustnessPoint>({
  label: text(),
  value: number(),
  severity: maybe(whole(1, 5)) as Schema<RobustnessPoint['severity']>,
  perturbation,
  paper: maybe(object<PaperPoint>({ share, k: whole(), bound: maybe(yes()) })),
  accuracy: proportion,
  kept: object<RobustnessPoint['kept']>({
    pooled: proportion,
    classMean: share,
    perClass: list(object({ name: text(), k: whole(), n: whole() })),
  }),
  protocol: proportion,
  draws: object({ mean: share, low: share, high: share }),
});

const measurement = object<RobustnessMeasurement>({
  split: text(),
  classes: list(text()),
  seed: whole(),
  perClass: whole(1),
  draws: whole(1),
  clean: proportion,
  protocolRows: list(whole()),
  series: list(
    object<MeasuredSeries>({ id: text(), title: text(), type: oneOf(PERTURBATION_TYPES), axis: text(), points: list(point, 1) }),
  ),
  images: whole(),
  seconds: number(0),
  cpuSeconds: number(0),
});

const curve = object<MeasuredCurve>({
  model: object<ModelFacts>({ name: text(), width: text(), inputSize: whole(1), parameters: whole(), imported: yes() }),
  measurement,
});

export const found: Schema<RobustnessFound> = either('pictures', object<{ pictures: Picture[] }>({ pictures: list(picture) }), curve);
