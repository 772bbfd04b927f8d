import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Device } from '../../lib/device.js';
import { resolveOptions } from '../../lib/experiments/options.js';
import { kubernetesJob, slurmJob, type JobOptions } from '../../lib/experiments/run/jobs.js';

const job = (device: Device): JobOptions => ({
  name: 'width',
  plan: { experiments: ['width'], options: resolveOptions({}) },
  folder: '/shared/width',
  cells: ['width/narrow-paper-0', 'width/wide-paper-0'],
  device,
  threads: 2,
});
const kubernetes = (device: Device): string => kubernetesJob(job(device), 'registry/fer-cudnn:1', 'results');
const limits = (device: Device): unknown => {
  const [, manifest] = parseAllDocuments(kubernetes(device)).map((document): unknown => document.toJS());
  const { spec } = manifest as { spec: { template: { spec: { containers: { resources: { limits: unknown } }[] } } } };
  return spec.template.spec.containers[0].resources.limits;
};

describe.each(['cuda', 'cuda:0', 'cuda:1'] as const)('jobs on %s', (device) => {
  it('ask Slurm for a GPU and use the one that they get', () => {
    const script = slurmJob(job(device), ['fer-cudnn']);
    expect(script).toContain('#SBATCH --gres=gpu:1\n');
    expect(script).toContain('--devices cuda --threads 2');
  });

  it('ask Kubernetes for a GPU and use the one that they get', () => {
    expect(limits(device)).toEqual({ cpu: '2', 'nvidia.com/gpu': 1 });
    expect(kubernetes(device)).toContain('--devices cuda --threads 2');
  });
});

describe.each(['cpu', 'auto'] as const)('jobs on %s', (device) => {
  it('ask for none', () => {
    expect(slurmJob(job(device), ['fer-cudnn'])).not.toContain('gres');
    expect(limits(device)).toEqual({ cpu: '2' });
  });
});

describe('a hostile folder or claim', () => {
  const hostile = '/shared/a b\'; touch "x" $(touch y) % #';

  it('is one word of the script, and of the directive', () => {
    const script = slurmJob({ ...job('cpu'), folder: hostile }, ['/opt/my node', 'main.js']);
    // What runs, with the program replaced by one that prints its words.
    const printed = execFileSync('bash', ['-c', script.replace(/^exec '\/opt\/my node'/m, "printf '%s\\0'")], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, SLURM_ARRAY_TASK_ID: '1' },
    }).split('\0');
    expect(printed.slice(0, 5)).toEqual(['main.js', 'experiment', 'width', '--out', hostile]);
    expect(script).toContain(`#SBATCH --output="/shared/a b'; touch \\"x\\" $(touch y) %% #/job-%a.log"\n`);
  });

  it('of more than a line is refused for Slurm', () => {
    const folder = '/shared/a\ntouch /tmp/x\n#SBATCH --wrap=id';
    expect(() => slurmJob({ ...job('cpu'), folder }, ['fer-cudnn'])).toThrow(/without line breaks .* for out$/);
  });

  it('ends no comment of the manifests', () => {
    const text = kubernetesJob({ ...job('cpu'), folder: '/shared/a\nkind: x' }, 'image\nkind: y', 'claim\n---\nkind: z');
    const documents = parseAllDocuments(text);
    expect(documents.map((document) => document.errors)).toEqual([[], []]);
    expect(documents.map((document) => (document.toJS() as { kind: string }).kind)).toEqual(['ConfigMap', 'Job']);
    expect(text.split('\n').filter((line) => /^(kind: [xyz]|---)$/.test(line))).toEqual(['---']);
  });
});
