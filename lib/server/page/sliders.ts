/** A slider a perturbation, and beside it how often the model is right at that strength. */
import type { Curve, Kind, Model } from './api.js';

export interface Slider {
  /** The perturbation as it stands, or nothing where it changes nothing. */
  value(): Record<string, number | string> | undefined;
  reset(): void;
  /** Greyed out, with the reason, where whoever answers cannot do it. */
  allow(can: boolean): void;
  /** Draws the curve of another model. */
  curve(model: Model): void;
}

/** Strengths that change nothing; 0 for the others. */
const NOTHING: Record<string, number> = { brightness: 1, gamma: 1, contrast: 1, scale: 1, jpeg: 100 };
/** How far a slider goes, where its five severities are too near: both ways for what can be turned both ways. */
const ENDS: Record<string, [number, number]> = { rotation: [-45, 45], brightness: [0.3, 2.5], 'brightness-shift': [-120, 120] };

function endsOf({ type, main, severities, parameters }: Kind, nothing: number): [number, number] {
  const strengths = [nothing, ...severities.map((settings) => settings[main])];
  const [least, most] = ENDS[type] ?? [Math.min(...strengths), Math.max(...strengths)];
  const [from, to] = parameters[main].range ?? [least, most];
  return [Math.max(least, from), Math.min(most, to)];
}

/** Between the measured strengths, straight lines; a turn to the right is as one to the left. */
function accuracyAt({ points, type }: Curve, value: number): number {
  const at = type === 'rotation' ? Math.abs(value) : value;
  const next = points.findIndex((point) => point.value >= at);
  if (next === 0) return points[0].accuracy;
  if (next < 0) return points[points.length - 1].accuracy;
  const [a, b] = [points[next - 1], points[next]];
  return a.accuracy + ((b.accuracy - a.accuracy) * (at - a.value)) / (b.value - a.value);
}

const SVG = 'http://www.w3.org/2000/svg';
function draw(tag: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

export function slider(kind: Kind, into: HTMLElement, changed: () => void): Slider {
  const { type, title, main, parameters } = kind;
  const { unit = '', describe, whole } = parameters[main];
  const nothing = NOTHING[type] ?? 0;
  const [least, most] = endsOf(kind, nothing);
  const id = `slider-${type}`;

  const label = document.createElement('label');
  label.htmlFor = id;
  const said = document.createElement('span');
  label.append(title, said);
  const input = document.createElement('input');
  // The step before the value, which is moved to the nearest step.
  input.type = 'range';
  input.id = id;
  input.step = whole || most - least > 50 ? '1' : '0.01';
  input.min = String(least);
  input.max = String(most);
  input.value = String(nothing);
  input.title = describe;
  const chart = draw('svg', { viewBox: '0 0 100 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const words = document.createElement('small');
  words.id = `${id}-accuracy`;
  input.setAttribute('aria-describedby', words.id);
  const holder = document.createElement('div');
  holder.className = 'slider';
  holder.append(label, input, chart, words);
  into.append(holder);

  let curve: Curve | undefined;
  const across = (value: number): number => ((value - least) / (most - least)) * 100;
  const down = (accuracy: number): number => 40 - accuracy * 50; // 0 to 80 %
  const show = (): void => {
    const value = Number(input.value);
    said.textContent = `${value}${unit}`;
    input.setAttribute('aria-valuetext', `${value}${unit}`);
    chart.replaceChildren();
    words.textContent = input.disabled
      ? 'only the server does this'
      : curve
        ? `right at this strength: ${(100 * accuracyAt(curve, value)).toFixed(0)} %`
        : '';
    if (!curve) return;
    const measured = curve;
    for (const share of [0.25, 0.5, 0.75]) chart.append(draw('line', { class: 'grid', x1: 0, x2: 100, y1: down(share), y2: down(share) }));
    const steps = Array.from({ length: 61 }, (_, i) => least + ((most - least) * i) / 60);
    const [from, to] = [measured.points[0].value, measured.points[measured.points.length - 1].value];
    const inside = steps.filter((step) => type === 'rotation' || (step >= from - 1e-9 && step <= to + 1e-9));
    chart.append(
      draw('polyline', { class: 'curve', points: inside.map((step) => `${across(step)},${down(accuracyAt(measured, step))}`).join(' ') }),
    );
    chart.append(draw('line', { class: 'here', x1: across(value), x2: across(value), y1: 0, y2: 40 }));
  };
  input.addEventListener('input', () => {
    show();
    changed();
  });
  show();
  return {
    value: () => (input.disabled || Number(input.value) === nothing ? undefined : { type, [main]: Number(input.value) }),
    reset() {
      input.value = String(nothing);
      show();
    },
    allow(can) {
      input.disabled = !can;
      show();
    },
    curve({ robustness }) {
      curve = robustness?.curves.find((each) => each.type === type);
      show();
    },
  };
}
