import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadDataSet } from '../../lib/index.js';
import type { NativeDataSet, NativeTensor } from '../../lib/native.js';
import { residentData } from '../../lib/network/resident.js';
import { fakeDriver } from '../cuda/fakes.js';

interface Recipe {
  rate: number;
  options: Record<string, unknown>;
}
type Walk = (device: object, from: number, to: number) => Promise<object>;
interface Steps {
  firstWeights(width: string): Promise<NativeTensor[]>;
  walker(what: { width: string; weights: NativeTensor[]; resident: NativeDataSet; rowsOf(step: number): Uint32Array }, how: Recipe): Walk;
  references(walk: Walk, count: number): Promise<{ inOrders: object[]; inBf16: object }>;
}
interface Drift {
  RECIPES: Record<'sgd' | 'adamw', Recipe>;
  judge(run: object, inOrders: object[], inBf16: object, start: NativeTensor[], precision: string): { passed: boolean };
}

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
    expect([first.status, first.stdout]).toEqual([
      0,
      expect.stringContaining('== steps: skipped (PyTorch was not asked for), the rest passed'),
    ]);
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

  it('runs the native tests on the device by the plug-in, which does not lie beside them', async () => {
    const { parity } = (await import('../../scripts/gpu/parity.mjs')) as {
      parity(context: { root: string; device: string; filter: string }): { passed: boolean; count: number };
    };
    const root = path.join(folder, 'packed');
    for (const [from, to] of [
      ['build/native-tests/native_tests', 'bin/native_tests'],
      ['build/native-tests/cuda-on-host.so', 'prebuilds/linux-x64/fer-cudnn-cuda.so'],
      ['native/test/fixtures', 'native/test/fixtures'],
    ]) {
      mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
      symlinkSync(path.resolve(from), path.join(root, to));
    }
    const before = process.env.LD_LIBRARY_PATH;
    process.env.LD_LIBRARY_PATH = fakeDriver(path.join(folder, 'driver'), { VERSION: 12040, GPUS: 1 });
    try {
      expect(parity({ root, device: 'cuda', filter: '*HeadOpTest*' })).toMatchObject({ passed: true, count: 9 });
    } finally {
      if (before === undefined) delete process.env.LD_LIBRARY_PATH;
      else process.env.LD_LIBRARY_PATH = before;
    }
  });

  it('says of what it skipped that it was skipped', () => {
    const out = path.join(folder, 'skipped');
    const { status, stdout } = gpuCheck('--device', 'cpu', '--parts', 'sanitizer', '--out', out);
    expect(stdout).toContain('== sanitizer: skipped (a rehearsal on the CPU has no kernels to check)');
    expect(status).toBe(0);
    expect(readFileSync(path.join(out, 'report.md'), 'utf8')).toContain('| sanitizer | skipped (a rehearsal');
    expect(gpuCheck('--device', 'cpu', '--parts', 'sanitizer', '--out', out).stdout).not.toContain('there already');
  });

  it('passes a backend that sums in another order, and none whose optimiser or gradients are wrong', async () => {
    const { firstWeights, references, walker } = (await import('../../scripts/gpu/steps.mjs')) as Steps;
    const { judge, RECIPES } = (await import('../../scripts/gpu/drift.mjs')) as Drift;
    const [steps, batch] = [4, 40];
    const data = await loadDataSet(undefined);
    const training = data.splits.get('Training')!;
    const rowsOf = (step: number): Uint32Array =>
      Uint32Array.from({ length: batch }, (_, i) => training[((step * batch + i) * 7919) % training.length]);
    const resident = await residentData(data);
    const weights = await firstWeights('narrow');
    const what = { width: 'narrow', weights, resident, rowsOf };
    const cpu = { device: 'cpu', threads: 4 };
    const mutants: [recipe: string, mutant: string, change: Partial<Recipe>][] = [
      ['sgd', 'a gradient 1 % too long', { rate: RECIPES.sgd.rate * 1.01 }],
      ['sgd', 'another momentum', { options: { momentum: 0.88 } }],
      ['adamw', 'no weight decay', { options: { weightDecay: 0 } }],
      ['sgd', 'an average 10 % off', { options: { emaDecay: 0.27 } }],
      ['adamw', 'weight decay as Adam has it', { options: { optimizer: 'adam' } }],
      ['adamw', 'no clipping', { options: { clipNorm: 0 } }],
    ];
    for (const [name, recipe] of Object.entries(RECIPES)) {
      const { inOrders, inBf16 } = await references(walker(what, recipe), steps);
      const verdictOf = async (change: Partial<Recipe>): Promise<boolean> => {
        const changed = { ...recipe, ...change, options: { ...recipe.options, ...change.options } };
        return judge(await walker(what, changed)(cpu, 0, steps), inOrders, inBf16, weights, 'fp32').passed;
      };
      for (const run of inOrders) expect(judge(run, inOrders, inBf16, weights, 'fp32').passed).toBe(true);
      expect(await verdictOf({})).toBe(true);
      for (const [of, mutant, change] of mutants) if (of === name) expect([mutant, await verdictOf(change)]).toEqual([mutant, false]);
    }
    resident.dispose();
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
