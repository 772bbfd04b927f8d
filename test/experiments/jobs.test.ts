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
  const [, manifest] = parseAllDocuments(kubernetes(device)).map((document) => document.toJS() as Record<string, never>);
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
