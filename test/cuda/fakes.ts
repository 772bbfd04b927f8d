/** Fakes at the boundary of the NVIDIA driver and of cuDNN: shared libraries compiled from `fakes/`, found by LD_LIBRARY_PATH. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const CUDNN_PARTS = ['graph', 'ops', 'cnn', 'adv', 'engines_precompiled', 'engines_runtime_compiled', 'heuristic'] as const;
export type CudnnPart = (typeof CUDNN_PARTS)[number];

function compile(output: string, source: string, ...options: string[]): void {
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-o', output, source, ...options], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`a fake library could not be compiled (cc is needed): ${stderr}`);
}

/** A folder with a libcuda.so.1 that answers as `facts` say. */
export function fakeDriver(folder: string, facts: Readonly<Record<string, number>>): string {
  mkdirSync(folder, { recursive: true });
  const definitions = Object.entries(facts).map(([name, value]) => `-D${name}=${value}`);
  compile(path.join(folder, 'libcuda.so.1'), path.resolve('test/cuda/fakes/libcuda.c'), ...definitions);
  return folder;
}

interface CudnnFacts {
  missing?: CudnnPart;
  cuda?: number;
  version?: number;
  /** Parts that only newer ones have. */
  newer?: readonly string[];
  /** What pip installs beside it, in packages of their own: `../../<name>/lib`. */
  siblings?: readonly (keyof typeof SIBLINGS)[];
}
const SIBLINGS = { cublas: ['libcublas.so.12', 'libcublasLt.so.12'], cuda_nvrtc: ['libnvrtc.so.12'] } as const;

/** A folder with a cuDNN 9, built for CUDA `cuda`, that lacks `missing`. */
export function fakeCudnn(folder: string, facts: CudnnFacts = {}): string {
  const { missing, cuda = 12090, version = 91002, newer = [], siblings = ['cublas', 'cuda_nvrtc'] } = facts;
  mkdirSync(folder, { recursive: true });
  const empty = (file: string): void => compile(file, '/dev/null', '-xc', `-Wl,-soname,${path.basename(file)}`);
  const definitions = [`-DCUDA=${cuda}`, `-DVERSION=${version}`];
  compile(path.join(folder, 'libcudnn.so.9'), path.resolve('test/cuda/fakes/libcudnn.c'), ...definitions, '-Wl,-rpath,$ORIGIN');
  for (const part of [...CUDNN_PARTS, ...newer]) if (part !== missing) empty(path.join(folder, `libcudnn_${part}.so.9`));
  for (const sibling of siblings) {
    const beside = path.join(folder, '..', '..', sibling, 'lib');
    mkdirSync(beside, { recursive: true });
    for (const name of SIBLINGS[sibling]) empty(path.join(beside, name));
  }
  return folder;
}
