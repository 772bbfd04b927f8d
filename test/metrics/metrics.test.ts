import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classificationMetrics, wilsonInterval } from '../../lib/metrics/index.js';
import { formatConfusionMatrix, formatReport } from '../../lib/metrics/text.js';

interface Reference {
  classes: number;
  labels: number[];
  logits: number[];
  accuracy: number;
  loss: number;
  macro: number[];
  weighted: number[];
  precision: number[];
  recall: number[];
  f1: number[];
  confusionMatrix: number[][];
  rocAuc: number;
}

const references = JSON.parse(readFileSync(new URL('../fixtures/metrics.json', import.meta.url), 'utf8')) as Reference[];
const names = (k: number): string[] => Array.from({ length: k }, (_, i) => `class ${i}`);

describe('classificationMetrics', () => {
  it.each(references.map((r, i) => [i, r] as const))("equals scikit-learn's figures, case %i", (_, r) => {
    const m = classificationMetrics(Float32Array.from(r.logits), Uint8Array.from(r.labels), names(r.classes));
    expect(m.n).toBe(r.labels.length);
    expect(m.accuracy).toBeCloseTo(r.accuracy, 12);
    expect(m.loss).toBeCloseTo(r.loss, 5);
    [m.macroPrecision, m.macroRecall, m.macroF1].forEach((value, i) => expect(value).toBeCloseTo(r.macro[i], 12));
    [m.weightedPrecision, m.weightedRecall, m.weightedF1].forEach((value, i) => expect(value).toBeCloseTo(r.weighted[i], 12));
    m.perClass.forEach((c, i) => {
      expect(c.precision).toBeCloseTo(r.precision[i], 12);
      expect(c.recall).toBeCloseTo(r.recall[i], 12);
      expect(c.f1).toBeCloseTo(r.f1[i], 12);
    });
    expect(m.confusionMatrix).toEqual(r.confusionMatrix);
    expect(m.rocAuc).toBeCloseTo(r.rocAuc, 6);
  });

  it('counts a class that is never predicted as precision 0', () => {
    const m = classificationMetrics(Float32Array.from([1, 0, 1, 0]), Uint8Array.from([0, 1]), names(2));
    expect(m.perClass[1]).toMatchObject({ precision: 0, recall: 0, f1: 0, support: 1 });
    expect(m.zeroDivision).toBe(0);
  });

  it('measures calibration: always certain and half right is half off', () => {
    const m = classificationMetrics(Float32Array.from([50, 0, 50, 0]), Uint8Array.from([0, 1]), names(2));
    expect(m.expectedCalibrationError).toBeCloseTo(0.5, 9);
  });

  it('refuses lengths and labels that do not fit', () => {
    expect(() => classificationMetrics(new Float32Array(3), new Uint8Array(2), names(2))).toThrow(
      /expected 2 x 2 values, got 3, for logits/,
    );
    expect(() => classificationMetrics(new Float32Array(2), Uint8Array.of(2), names(2))).toThrow(/labels below 2/);
  });

  it('holds its invariants for any logits', () => {
    const row = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(row, fc.integer({ min: 0, max: 2 })), { minLength: 1, maxLength: 40 }), (rows) => {
        const m = classificationMetrics(
          Float32Array.from(rows.flatMap(([r]) => r)),
          Uint8Array.from(rows, ([, label]) => label),
          names(3),
        );
        expect(m.confusionMatrix.flat().reduce((a, b) => a + b)).toBe(rows.length);
        expect(m.weightedRecall).toBeCloseTo(m.accuracy, 12);
        expect(m.accuracyInterval[0]).toBeLessThanOrEqual(m.accuracy);
        expect(m.accuracyInterval[1]).toBeGreaterThanOrEqual(m.accuracy);
        for (const value of [m.macroPrecision, m.macroF1, m.rocAuc, m.expectedCalibrationError]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('wilsonInterval', () => {
  it('gives the published values', () => {
    // The paper's 17 of 21; R's binom::binom.wilson(17, 21) gives 0.6000, 0.9233.
    const [low, high] = wilsonInterval(17, 21);
    expect(low).toBeCloseTo(0.6, 3);
    expect(high).toBeCloseTo(0.9233, 3);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe('text', () => {
  it('lists every class, the averages and n', () => {
    const r = references[0];
    const m = classificationMetrics(Float32Array.from(r.logits), Uint8Array.from(r.labels), names(r.classes));
    expect(formatReport(m)).toContain(`n = ${r.labels.length}`);
    expect(formatReport(m)).toMatch(/class 2 +[\d.]+ % +[\d.]+ % +[\d.]+ % +\d+/);
    expect(formatConfusionMatrix(m).split('\n')).toHaveLength(4);
  });
});
