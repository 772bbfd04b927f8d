import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const script = path.resolve('scripts/gpu-check');
const folder = mkdtempSync(path.join(tmpdir(), 'fer-gpu-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const gpuCheck = (...args: string[]) => spawnSync(script, args, { encoding: 'utf8' });

describe('scripts/gpu-check', () => {
  it('explains itself, and refuses options it cannot take', () => {
    expect(gpuCheck('--help').stdout).toContain('--parts');
    const wrong = gpuCheck('--parts', 'doctor,sped');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('"sped", for --parts')]);
    expect(gpuCheck('--minutes', '0').status).toBe(2);
  });

  it('never runs on another device than the one asked for', () => {
    const absent = gpuCheck('--device', 'cuda:99', '--out', path.join(folder, 'absent'));
    expect([absent.status, absent.stderr]).toEqual([1, expect.stringContaining('ERR_FER_DEVICE_UNAVAILABLE')]);
  });

  it('rehearses on the CPU, part by part, and goes on with what is missing', () => {
    const out = path.join(folder, 'rehearsal');
    const rehearse = (parts: string) =>
      gpuCheck(
        '--device',
        'cpu',
        '--quick',
        '--python',
        'none',
        '--epochs',
        '1',
        '--runs',
        'table1-narrow-seed0',
        '--out',
        out,
        '--parts',
        parts,
      );
    const first = rehearse('steps');
    expect([first.status, first.stdout]).toEqual([0, expect.stringContaining('== steps: passed')]);
    const second = rehearse('steps,paper');
    expect(second.stdout).toContain('== steps: there already');
    expect(second.status).toBe(0);
    const report = readFileSync(path.join(out, 'report.md'), 'utf8');
    expect(report).toContain('A rehearsal');
    expect(report).toContain('1 (shortened from 100)');
    expect(JSON.parse(readFileSync(path.join(out, 'paper.json'), 'utf8')).results['table1-narrow-seed0'].accuracy).toBeGreaterThan(0.1);
    // A part that failed is told by the exit status, and is done anew at the next call.
    writeFileSync(
      path.join(out, 'steps.json'),
      JSON.stringify({ part: 'steps', complete: false, passed: false, failure: 'made up', seconds: 1, date: '2026-01-01' }),
    );
    expect(gpuCheck('--device', 'cpu', '--parts', 'paper', '--out', out).status).toBe(1);
    expect(readFileSync(path.join(out, 'report.md'), 'utf8')).toContain('Failed: made up');
  });

  it("adds up Nsight Compute's table by kernel", async () => {
    const { sumByKernel } = (await import('../../scripts/gpu/speed.mjs')) as { sumByKernel(csv: string): unknown };
    const csv = [
      '==PROF== Connected',
      '"ID","Kernel Name","dram__bytes.sum","gpu__time_duration.sum"',
      '"","","Kbyte","usecond"',
      '"0","void fer::product<128, 8>(A, B)","1,000.5","2.5"',
      '"1","void fer::product<64, 64>(A, B)","1.5","1"',
      '"2","fer::gather(Batch)","2","4"',
    ].join('\n');
    expect(sumByKernel(csv)).toEqual({
      'void fer::product': { launches: 2, microseconds: 3.5, bytes: 1_002_000 },
      'fer::gather': { launches: 1, microseconds: 4, bytes: 2000 },
    });
  });
});
