import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { launches } from '../scripts/roofline/launches.mjs';
import { GPUS, predict } from '../scripts/roofline/prediction.mjs';

const script = path.join(import.meta.dirname, '../scripts/roofline.mjs');

describe('roofline', () => {
  it('lists the very kernels the backend launches', () => {
    const recorded = readFileSync(path.join(import.meta.dirname, '../native/test/fixtures/launches.txt'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(launches('narrow', 2, 3).map((kernel) => kernel.op)).toEqual(recorded);
  });

  it('counts the operations of the published widths', () => {
    // 5.52 and 260 million multiply-adds an image, forward: the convolutions' share of the list up to the head.
    for (const [width, millions] of [
      ['narrow', 5.52],
      ['wide', 260],
    ] as const) {
      const all = launches(width, 1, 132);
      const forward = all.slice(
        0,
        all.findIndex((kernel) => kernel.op === 'softmax cross-entropy'),
      );
      const flops = forward.filter((kernel) => kernel.op.endsWith('convolution')).reduce((sum, kernel) => sum + kernel.flops, 0);
      expect(flops / 2e6 / millions).toBeGreaterThan(0.97);
      expect(flops / 2e6 / millions).toBeLessThan(1.01);
    }
  });

  it('is bound by bandwidth where a batch is large, and never faster than it', () => {
    for (const gpu of Object.keys(GPUS) as (keyof typeof GPUS)[]) {
      const step = predict('wide', 256, gpu, 'bf16');
      expect(step.stepMilliseconds).toBeGreaterThan(step.megabytes / GPUS[gpu].gigabytesPerSecond);
      expect(step.kind).toBe('prediction');
    }
    expect(predict('narrow', 40, 'H100', 'fp32').kernels.filter((kernel) => kernel.bound === 'latency').length).toBeGreaterThan(40);
  });

  it('lays a measured run beside its prediction', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'fer-roofline-'));
    try {
      const file = path.join(folder, 'measured.json');
      const predicted = predict('narrow', 40, 'H100', 'tf32').stepMilliseconds;
      writeFileSync(
        file,
        JSON.stringify({
          gpu: 'H100',
          width: 'narrow',
          batch: 40,
          precision: 'tf32',
          stepMilliseconds: 2 * predicted,
          kernels: { pooling: 12.5 },
        }),
      );
      const out = execFileSync(process.execPath, [script, '--measured', file], { encoding: 'utf8' });
      expect(out).toMatch(/the step, ms \| [\d.]+ \| [\d.]+ \| 2\.00 \|/);
      expect(out).toMatch(/pooling, µs \| [\d.]+ \| 12\.5 \|/);
      writeFileSync(file, JSON.stringify({ gpu: 'Voodoo 2', width: 'narrow', batch: 40, precision: 'tf32', stepMilliseconds: 1 }));
      expect(() => execFileSync(process.execPath, [script, '--measured', file], { stdio: 'pipe' })).toThrow(
        /expected one of RTX 3070, H100, H200, got Voodoo 2, for gpu/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has its tables in docs/performance.md', () => {
    const page = readFileSync(path.join(import.meta.dirname, '../docs/performance.md'), 'utf8');
    const tables = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
    // Prettier pads the page's columns.
    const plain = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
    expect(plain(page)).toContain(plain(tables));
  });
});
