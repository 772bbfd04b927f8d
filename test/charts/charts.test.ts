/** The charts on their own: what the SVG shows, and that the PNG is the same picture at twice the size. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classDistributionChart, confusionMatrixChart, learningCurvesChart } from '../../lib/charts/charts.js';
import { writeChart } from '../../lib/charts/write.js';
import { classificationMetrics } from '../../lib/metrics/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-charts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function draw(spec: Parameters<typeof writeChart>[0], name: string) {
  const files = await writeChart(spec, path.join(folder, name));
  expect(files.map((file) => path.basename(file))).toEqual([`${name}.svg`, `${name}.png`]);
  const svg = readFileSync(files[0], 'utf8');
  const [, width, height] = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const { data, info } = await sharp(files[1]).greyscale().raw().toBuffer({ resolveWithObject: true });
  expect(Math.abs(info.width - 2 * Number(width))).toBeLessThanOrEqual(2);
  expect(Math.abs(info.height - 2 * Number(height))).toBeLessThanOrEqual(2);
  expect(data[0]).toBe(255); // a white background,
  expect(data.some((value) => value < 64)).toBe(true); // and text: the package's own font was found
  const texts = [...svg.matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, text]) => text.replaceAll('&amp;', '&'));
  const marks = (role: string): number => {
    const group = new RegExp(`class="mark-${role} role-mark[^"]*"[^>]*>(.*?)</g>`, 's').exec(svg)?.[1] ?? '';
    return group.match(/<(path|text)/g)?.length ?? 0;
  };
  return { svg, texts, marks };
}

describe('charts', () => {
  it('draws a bar for each class of each split, with the names in the given order', async () => {
    const counts = new Map([
      ['Training', { angry: 30, happy: 50, sad: 20 }],
      ['PrivateTest', { angry: 3, happy: 5, sad: 2 }],
    ]);
    const { texts, marks } = await draw(classDistributionChart(counts), 'classes');
    expect(marks('rect')).toBe(6);
    expect(texts).toContain('Images of each class');
    expect(texts.filter((text) => ['angry', 'happy', 'sad'].includes(text))).toEqual(['angry', 'happy', 'sad']);
    expect(texts).toEqual(expect.arrayContaining(['Training', 'PrivateTest', '0', '50']));
  });

  it('draws loss and accuracy over the epochs', async () => {
    const rows = [1, 2, 3, 4].map((epoch) => ({
      epoch,
      trainLoss: 2 / epoch,
      trainAccuracy: 0.2 * epoch,
      validationLoss: 2.2 / epoch,
      validationAccuracy: 0.15 * epoch,
      learningRate: 0.01,
      seconds: 1,
      imagesPerSecond: 1000,
    }));
    const { svg, texts } = await draw(learningCurvesChart(rows), 'curves');
    expect(svg.match(/class="mark-line role-mark/g)).toHaveLength(4); // training and validation in two panels
    expect(texts).toEqual(expect.arrayContaining(['loss (cross-entropy)', 'accuracy, %', 'epoch', 'training', 'validation', '80']));
  });

  it('draws a cell with its count for each pair of classes', async () => {
    const logits = Float32Array.from([2, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0]);
    const metrics = classificationMetrics(logits, Uint8Array.from([0, 0, 1, 2, 2]), ['angry', 'happy', 'sad']);
    const { texts, marks } = await draw(confusionMatrixChart(metrics), 'confusion');
    expect(marks('rect')).toBe(9);
    expect(marks('text')).toBe(9);
    expect(texts).toContain('Confusion matrix (n = 5, accuracy 80.0 %)');
    expect(texts.filter((text) => /^[012]$/.test(text)).sort()).toEqual(['0', '0', '0', '0', '0', '1', '1', '1', '2']);
  });
});
