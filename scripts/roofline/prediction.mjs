// How long a step should take on a GPU nobody has measured yet: for every kernel the longest of what its bytes, its operations
// and its chain of dependent waits cost. A prediction, to be laid beside measurements, never in their place.
import { launches } from './launches.mjs';

// Peaks: NVIDIA's data sheets of H100 SXM, H200 SXM and (GA10x white paper, appendix) RTX 3070; dense, not sparse.
export const GPUS = {
  'RTX 3070': { gigabytesPerSecond: 448, teraflops: { fp32: 20.3, tf32: 20.3, bf16: 40.6 }, multiprocessors: 46 },
  H100: { gigabytesPerSecond: 3350, teraflops: { fp32: 66.9, tf32: 494.7, bf16: 989.4 }, multiprocessors: 132 },
  H200: { gigabytesPerSecond: 4800, teraflops: { fp32: 66.9, tf32: 494.7, bf16: 989.4 }, multiprocessors: 132 },
};

// Assumptions, ours, not measured on these kernels. Efficiencies: a streaming kernel reaches about 80 % of the data sheet's
// bandwidth; a float32 product of 8x8 a thread about 60 % of peak; a product by mma.sync with plain shared-memory loads 30 %
// (Hopper's full rate needs wgmma). Times: NVIDIA's introduction to CUDA graphs found 0.5 microseconds beside each kernel of a
// replayed graph; a dependent trip to memory costs 0.5 to 0.8 microseconds on all three.
export const ASSUMED = {
  bandwidth: 0.8,
  fp32: 0.6,
  tensor: 0.3,
  betweenKernels: 0.5, // microseconds
  firstTrip: 1.2, // start of a block, its first loads and its stores
  tileStep: 0.35, // a tile's barrier and what is left of the prefetched loads' wait
  lastBlock: 2.5, // where a kernel sums over its grid: counters and fences of the two levels, reading back
  partialSum: 0.07, // each of a thread's additions there, eight loads overlapping
  blocksPerMultiprocessor: 2,
};

function kernelTime(kernel, gpu, precision) {
  const a = ASSUMED;
  // Where both can do it, the backend runs what it measured to be faster.
  const fp32 = gpu.teraflops.fp32 * a.fp32;
  const peak = kernel.tensor && precision !== 'fp32' ? Math.max(fp32, gpu.teraflops[precision] * a.tensor) : fp32;
  const memory = kernel.bytes / (gpu.gigabytesPerSecond * a.bandwidth * 1e3);
  const arithmetic = kernel.flops / (peak * 1e6);
  const waves = Math.ceil(kernel.blocks / (gpu.multiprocessors * a.blocksPerMultiprocessor));
  const tail = kernel.reduced ? a.lastBlock + a.partialSum * kernel.reduced : 0;
  // The sum over the grid comes when all else is done; so many waves that memory or arithmetic is the bound hide the waits.
  const waits = a.firstTrip + a.tileStep * (kernel.steps - 1) * Math.min(waves, 2);
  const throughput = Math.max(memory, arithmetic);
  const bound = waits > throughput ? 'latency' : memory > arithmetic ? 'memory' : 'arithmetic';
  return { memory, arithmetic, throughput, bound, microseconds: a.betweenKernels + Math.max(throughput, waits) + tail };
}

/** A step of `batch` images on `gpu`, kernel by kernel; times in microseconds. */
export function predict(width, batch, gpuName, precision) {
  const gpu = GPUS[gpuName];
  const kernels = launches(width, batch, gpu.multiprocessors).map((kernel) => ({ ...kernel, ...kernelTime(kernel, gpu, precision) }));
  const sum = (of) => kernels.reduce((total, kernel) => total + of(kernel), 0);
  // A kernel that runs beside others hides its waits, not its bytes and operations.
  const microseconds = sum((k) => (k.aside ? k.throughput : k.microseconds));
  return {
    kind: 'prediction',
    gpu: gpuName,
    width,
    batch,
    precision,
    launches: kernels.length,
    longestPath: kernels.filter((k) => !k.aside).length,
    megabytes: sum((k) => k.bytes) / 1e6,
    gigaflops: sum((k) => k.flops) / 1e9,
    stepMilliseconds: microseconds / 1e3,
    // 28,709 training images; the last, smaller step counts as a whole one.
    epochSeconds: (Math.ceil(28709 / batch) * microseconds) / 1e6,
    kernels,
  };
}
