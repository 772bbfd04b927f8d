/** An experiment as a job array: one cell a job, all of them over one shared folder. */
import { stringify } from 'yaml';
import { anyOfKind, isGpu, type Device } from '../../device.js';
import { comment, sbatchWord, shellWord } from '../../quoting.js';
import { planText } from './folder.js';
import type { Plan } from './plan.js';

export interface JobOptions {
  /** Name of the experiment, or "all". */
  name: string;
  plan: Plan;
  /** The experiment's folder, as the jobs see it. */
  folder: string;
  /** Ids of the cells; a job's index is its cell's number. */
  cells: string[];
  device: Device;
  /** CPU threads of a job; 0: as many as it gets cores. */
  threads: number;
}

/** A job that asks for a GPU sees that one alone, as its first, whichever number it has in the machine. */
const cellFlags = ({ device, threads }: JobOptions): string => `--devices ${anyOfKind(device)} --threads ${threads}`;

/**
 * A script for sbatch. `command`: how the program starts, word by word.
 * @throws {FerError} ERR_FER_ARGUMENT for a folder whose name is more than a line.
 */
export function slurmJob(job: JobOptions, command: readonly string[]): string {
  const { name, folder, cells, device, threads } = job;
  const start = command.map(shellWord).join(' ');
  const run = `${start} experiment ${shellWord(name)} --out ${shellWord(folder)}`;
  // In a name of a log, % begins what sbatch fills in.
  const log = sbatchWord(`${folder.replaceAll('%', '%%')}/job-%a.log`, 'out');
  return `#!/usr/bin/env bash
#SBATCH --job-name=${sbatchWord(`fer-cudnn-${name}`, 'experiment')}
#SBATCH --array=0-${cells.length - 1}
#SBATCH --output=${log}
${threads > 0 ? `#SBATCH --cpus-per-task=${threads}\n` : ''}${isGpu(device) ? '#SBATCH --gres=gpu:1\n' : ''}#
# ${cells.length} cells, one a job; a job that is killed goes on where it was when it is submitted again. When all have run:
#   ${comment(run)} --collect
set -euo pipefail
exec ${run} ${cellFlags(job)} --cell "$SLURM_ARRAY_TASK_ID"
`;
}

/** Manifests for kubectl: the plan as a ConfigMap, and an indexed Job whose pods share a volume. */
export function kubernetesJob(job: JobOptions, image: string, claim: string): string {
  const { name, folder, plan, cells, device, threads } = job;
  const label = `fer-cudnn-${name}`;
  const run = [
    // The plan arrives whole or not at all, whichever pod is first.
    `mkdir -p ${shellWord(folder)}`,
    `[ -e ${shellWord(folder)}/experiment.json ] || { cp /plan/experiment.json ${shellWord(folder)}/plan.$JOB_COMPLETION_INDEX && mv ${shellWord(folder)}/plan.$JOB_COMPLETION_INDEX ${shellWord(folder)}/experiment.json; }`,
    `exec fer-cudnn experiment ${name} --out ${shellWord(folder)} ${cellFlags(job)} --cell "$JOB_COMPLETION_INDEX"`,
  ].join('\n');
  const limits = { ...(threads > 0 ? { cpu: String(threads) } : {}), ...(isGpu(device) ? { 'nvidia.com/gpu': 1 } : {}) };
  const pod = {
    restartPolicy: 'OnFailure',
    containers: [
      {
        name: 'cell',
        image,
        command: ['sh', '-c', run],
        ...(Object.keys(limits).length > 0 ? { resources: { limits } } : {}),
        volumeMounts: [
          { name: 'plan', mountPath: '/plan' },
          { name: 'shared', mountPath: '/shared' },
        ],
      },
    ],
    volumes: [
      { name: 'plan', configMap: { name: label } },
      { name: 'shared', persistentVolumeClaim: { claimName: claim } },
    ],
  };
  const manifests = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: label }, data: { 'experiment.json': planText(plan) } },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: label },
      spec: {
        completions: cells.length,
        parallelism: cells.length,
        completionMode: 'Indexed',
        backoffLimit: cells.length,
        template: { spec: pod },
      },
    },
  ];
  return (
    `# ${cells.length} cells, one a pod. The claim ${comment(claim)} is mounted at /shared: the data set and ${comment(folder)} lie on it.\n` +
    `# When all have run, where that volume is mounted: fer-cudnn experiment ${name} --out ${comment(shellWord(folder))} --collect\n` +
    manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join('---\n')
  );
}
