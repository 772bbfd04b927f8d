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

/** A folder with a cuDNN 9, built for CUDA `cuda`, that lacks `missing`. */
export function fakeCudnn(folder: string, { missing, cuda = 12090 }: { missing?: CudnnPart; cuda?: number } = {}): string {
  mkdirSync(folder, { recursive: true });
  compile(path.join(folder, 'libcudnn.so.9'), path.resolve('test/cuda/fakes/libcudnn.c'), `-DCUDA=${cuda}`, '-Wl,-rpath,$ORIGIN');
  for (const part of CUDNN_PARTS)
    if (part !== missing) compile(path.join(folder, `libcudnn_${part}.so.9`), '/dev/null', '-xc', `-Wl,-soname,libcudnn_${part}.so.9`);
  return folder;
}
